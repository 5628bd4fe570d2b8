import { type Operator, operator, schemaOf } from "../../../engine/index.js";

/** Argument of an operator. */
export interface Parameter {
  readonly name: string;
  /** Type without what it says of memory: `Tensor`, `Tensor?[]`, `Scalar`, `SymInt[2]`. */
  readonly type: string;
  /** Set of values that share memory; undefined where it shares none. */
  readonly alias?: string | undefined;
  /** Tells whether the operator writes to it. */
  readonly written: boolean;
}

/** Operator with what it takes. */
export interface Schema {
  readonly operator: Operator;
  readonly parameters: readonly Parameter[];
  /** Position of the argument whose memory the first result shares; undefined for memory of its own. */
  readonly shares?: number | undefined;
}

/** Parts of a list between commas that no bracket encloses. */
function parts(list: string): string[] {
  const found: string[] = [];
  let [depth, from] = [0, 0];
  for (let i = 0; i <= list.length; i++) {
    const character = list[i];
    if (character === "(" || character === "[") depth++;
    if (character === ")" || character === "]") depth--;
    if (i < list.length && (character !== "," || depth > 0)) continue;
    found.push(list.slice(from, i).trim());
    from = i + 1;
  }
  return found.filter((part) => part !== "");
}

const aliasOf = (type: string) => /\((\w+)[^)]*\)/.exec(type)?.[1];

function parameterOf(text: string): Parameter {
  const declared = text.replace(/=.*$/, "").trim();
  const name = /\w+$/.exec(declared)![0];
  const type = declared.slice(0, -name.length).trim();
  return { name, type: type.replace(/\([^)]*\)/, ""), alias: aliasOf(type), written: type.includes("!") };
}

/** Reads a schema as libtorch prints it: `aten::relu(Tensor self) -> Tensor`. */
export function parseSchema(text: string): Omit<Schema, "operator"> {
  const arrow = text.lastIndexOf(" -> ");
  const inner = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")", arrow));
  const parameters = parts(inner)
    .filter((part) => part !== "*")
    .map(parameterOf);
  const result = aliasOf(text.slice(arrow + 4).replace(/^\((.*)\)$/, "$1"));
  const shares = parameters.findIndex(({ alias }) => alias !== undefined && alias === result);
  return { parameters, shares: shares < 0 ? undefined : shares };
}

const known = new Map<string, Schema | undefined>();

/** Schema of an ATen operator in the loaded libtorch; undefined where that has none of the name. */
export function atenSchema(name: string, overload: string): Schema | undefined {
  const key = `${name}.${overload}`;
  if (known.has(key)) return known.get(key);
  const found = operator(`aten::${name}`, overload);
  let schema: Schema | undefined;
  try {
    schema = { operator: found, ...parseSchema(schemaOf(found)) };
  } catch {
    // libtorch says that there is none.
  }
  known.set(key, schema);
  return schema;
}
