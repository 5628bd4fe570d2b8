import { sizeOf } from "../../../base/index.js";
import { type Pt2Argument, type Pt2File, type Pt2Size, spannedBytes } from "../../../files/index.js";
import { contentSha256, isStructure, Numbers, StructureHash } from "./canonical.js";

/** Names that an argument reads. */
function namesIn(argument: Pt2Argument): readonly string[] {
  const inSize = (size: Pt2Size) => (typeof size === "number" ? [] : [size.symbol]);
  switch (argument.kind) {
    case "tensor":
      return [argument.name];
    case "tensors":
      return argument.names.filter((name) => name !== null);
    case "number":
      return inSize(argument.value);
    case "numbers":
      return argument.values.flatMap(inSize);
    default:
      return [];
  }
}

/** Argument with numbers in the place of names. */
function withoutNames(argument: Pt2Argument, values: Numbers): unknown {
  const size = (given: Pt2Size) => (typeof given === "number" ? given : { value: values.of(given.symbol) });
  switch (argument.kind) {
    case "tensor":
      return { tensor: values.of(argument.name) };
    case "tensors":
      return { tensors: argument.names.map((name) => (name === null ? null : values.of(name))) };
    case "number":
      return { number: size(argument.value), isFloat: argument.isFloat };
    case "numbers":
      return { numbers: argument.values.map(size), isFloat: argument.isFloat };
    default:
      return argument;
  }
}

/** SHA-256 of the structure of a .pt2 file's graph; see `StructureHash`. */
export function pt2GraphSha256({ program, weights, constants }: Pt2File): string {
  const hash = new StructureHash();
  const values = new Numbers();
  const symbols = new Numbers();
  const formOf = (name: string) => {
    const found = program.formOf(name);
    const side = (size: Pt2Size) =>
      typeof size === "number" ? size : size.symbol.replace(/[A-Za-z_]\w*/g, (one) => `$${symbols.of(one)}`);
    return found === undefined ? null : [found.type, found.sizes.map(side)];
  };
  const read = new Set(
    [...program.nodes.flatMap(({ inputs }) => inputs), ...program.outputs].flatMap(({ value }) =>
      namesIn(value),
    ),
  );
  const places = new Map<string, string>();
  for (const { kind, target, value } of program.inputs) {
    const [name] = namesIn(value);
    // Counters of batches, for example, are kept and never read.
    if (name === undefined || !read.has(name)) continue;
    const stored = kind === "user" ? undefined : (weights.get(target) ?? constants.get(target));
    if (stored === undefined) {
      hash.add("input", values.of(name), formOf(name));
      continue;
    }
    const { type, shape, strides, offset, file } = stored;
    const place = JSON.stringify([file, offset, shape, strides, type]);
    const tied = places.get(place);
    const count = sizeOf(shape);
    const content = isStructure(type, count) ? contentSha256(spannedBytes(stored)) : null;
    const number = values.of(name);
    if (tied === undefined) places.set(place, name);
    hash.add("weight", number, tied === undefined ? null : values.of(tied), type, shape, content);
  }
  for (const { target, inputs, outputs } of program.nodes) {
    const given = inputs.map((input) => [input.name, withoutNames(input.value, values)]);
    hash.add(
      "node",
      target,
      given,
      outputs.map((output) => withoutNames(output, values)),
    );
  }
  for (const { kind, value } of program.outputs) {
    const [name] = namesIn(value);
    hash.add("output", kind, withoutNames(value, values), name === undefined ? null : formOf(name));
  }
  return hash.digest();
}
