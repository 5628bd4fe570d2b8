// Writes the help of options into the declarations in dist/, so that an editor shows an option's description,
// default and accepted values: `node scripts/document-options.mjs`. Set-up runs it after the compiler.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const opening = /export declare const (\w+): import\("[^"]*\.js"\)\.(?:Factory|SourceFactory|Combinator)</g;

/** Schema of the options; where a file has no name for zod, the compiler writes an import. */
const schemaOpening = /(z|import\("zod"\))\.ZodObject<(\{)?/;

/** @import { OptionRow } from "../dist/options/index.js" */

/**
 * Place behind the bracket that closes the one before `start`.
 *
 * @param {string} text
 * @param {number} start
 */
function closing(text, start) {
  let depth = 1;
  let at = start;
  for (; depth > 0; at++) {
    const character = /** @type {string} */ (text[at]);
    if (character === "=" && text[at + 1] === ">") at++;
    else if ("<{[(".includes(character)) depth++;
    else if (">}])".includes(character)) depth--;
  }
  return at;
}

/**
 * Entries `name: type` of an object type's text.
 *
 * @param {string} body
 */
function entriesOf(body) {
  /** @type {[name: string, type: string][]} */
  const entries = [];
  for (const match of body.matchAll(/^ {4}(\w+): /gm)) {
    const start = match.index + match[0].length;
    let at = start;
    while (body[at] !== ";")
      at = "<{[(".includes(/** @type {string} */ (body[at])) ? closing(body, at + 1) : at + 1;
    entries.push([/** @type {string} */ (match[1]), body.slice(start, at)]);
  }
  return entries;
}

/**
 * Help of an option as a sentence or two.
 *
 * @param {OptionRow} row
 */
function helpOf({ description, type, default: value, required }) {
  const text = description === "" ? "" : `${description.charAt(0).toUpperCase()}${description.slice(1)}. `;
  const choice = required ? "required" : value === undefined ? "optional" : `default ${value}`;
  return `${text}Accepted: ${type}; ${choice}.`.replaceAll("*/", "* /");
}

/**
 * Declarations with an object type of documented options behind each schema, in place of the compiler's.
 *
 * @param {string} text
 * @param {Record<string, any>} exported
 * @param {(options: any) => OptionRow[]} describeOptions
 */
function documented(text, exported, describeOptions) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(opening)) {
    const end = closing(text, match.index + match[0].length) - 1;
    const type = text.slice(match.index, end);
    const definition = exported[/** @type {string} */ (match[1])];
    const object = schemaOpening.exec(type);
    if (definition?.options === undefined || object?.[2] === undefined) continue;
    const start = object.index + object[0].length;
    const behindSchema = closing(type, start - 1);
    // Files that the compiler left as they were have it already.
    if (type.slice(behindSchema).includes("/**")) continue;
    const schemas = new Map(entriesOf(type.slice(start, closing(type, start) - 1)));
    const lines = describeOptions(definition.options).map((row) => {
      const input = schemas.has(row.name) ? `${object[1]}.input<${schemas.get(row.name)}>` : "unknown";
      return `    /** ${helpOf(row)} */\n    readonly ${row.name}${row.required ? "" : "?"}: ${input};\n`;
    });
    parts.push(text.slice(from, match.index + behindSchema), `, {\n${lines.join("")}}`);
    from = end;
  }
  return parts.join("") + text.slice(from);
}

/**
 * Documents the options in a folder of compiled files; returns the number of files that were written.
 *
 * @param {string} dist
 */
export async function documentOptions(dist) {
  const { describeOptions } = await import(pathToFileURL(join(dist, "options/index.js")).href);
  let written = 0;
  for (const name of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".d.ts")) continue;
    const file = join(dist, name);
    const text = readFileSync(file, "utf8");
    if (text.search(opening) < 0) continue;
    const exported = await import(pathToFileURL(file.replace(/\.d\.ts$/, ".js")).href);
    const help = documented(text, exported, describeOptions);
    if (help === text) continue;
    writeFileSync(file, help);
    written++;
  }
  return written;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const written = await documentOptions(fileURLToPath(new URL("../dist", import.meta.url)));
  process.stdout.write(`${written} files of declarations tell of their options\n`);
}
