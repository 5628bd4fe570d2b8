import { isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import { FileFormatError, readTextFile, suggestedName } from "../../base/index.js";
import { GLOBAL_NAMES } from "./global-options.js";
import { camelCase, kebabCase } from "./option-names.js";

/** Options of a file, and the place of each, as `file:line`. */
export interface ConfigFile {
  readonly values: Readonly<Record<string, unknown>>;
  readonly places: ReadonlyMap<string, string>;
}

/** A file of options is short; of a long word the parser makes many. */
const mostBytes = 2 ** 20;

/**
 * Reads a YAML file of options: keys are the long option names, in kebab-case or camelCase. A FileFormatError
 * names the file and the line of a syntax error, of an unknown option (with the nearest known one) and of one
 * given twice.
 *
 * @param kept names that stand in the files of runs alone: no message offers them
 */
export function readConfigFile(
  path: string,
  known: readonly string[],
  kept: readonly string[] = [],
): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(readTextFile(path, mostBytes), { lineCounter: lines, prettyErrors: false });
  const fail = (offset: number, problem: string): never => {
    throw new FileFormatError(`${path}:${lines.linePos(offset).line}: ${problem}`);
  };
  const [error] = document.errors;
  if (error?.code === "MULTIPLE_DOCS")
    return fail(error.pos[0], "expected one document, found a second after ---");
  if (error?.code === "BLOCK_AS_IMPLICIT_KEY")
    return fail(
      error.pos[0],
      'text with ": " in it goes in quotes; options of a value are written with "=", as in pgd(steps=7)',
    );
  if (error !== undefined) return fail(error.pos[0], error.message);
  const { contents } = document;
  const values: Record<string, unknown> = {};
  const places = new Map<string, string>();
  if (contents === null || (isScalar(contents) && contents.value === null)) return { values, places };
  if (!isMap(contents)) return fail(contents.range?.[0] ?? 0, 'expected options such as "limit: 1000"');
  for (const { key, value } of contents.items) {
    const offset = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
    const written = isScalar(key) ? key.value : undefined;
    if (typeof written !== "string")
      return fail(offset, `expected the name of an option, given ${String(key)}`);
    const name = camelCase(written);
    if (!known.includes(name) && !kept.includes(name))
      return fail(offset, unknownOption(written, name, known));
    if (places.has(name)) return fail(offset, `option "${written}" is given twice`);
    const place = `${path}:${lines.linePos(offset).line}`;
    values[name] = toPlain(place, () => (isNode(value) ? value.toJS(document) : null));
    places.set(name, place);
  }
  return { values, places };
}

/** Aliases that expand without end are only found when the document becomes values. */
function toPlain(place: string, convert: () => unknown): unknown {
  try {
    return convert();
  } catch (cause) {
    throw new FileFormatError(`${place}: ${(cause as Error).message}`, { cause });
  }
}

function unknownOption(written: string, name: string, known: readonly string[]): string {
  if ([...GLOBAL_NAMES, "noColor"].includes(name))
    return `option "${written}" is for the command line, not for a file`;
  const near = suggestedName(name, known);
  const hint =
    near === undefined ? `known: ${known.map(kebabCase).join(", ")}` : `did you mean "${kebabCase(near)}"?`;
  return `unknown option "${written}"; ${hint}`;
}
