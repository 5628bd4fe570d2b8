import type { Pt2Argument, Pt2Program } from "../../../files/index.js";
import { factored } from "./batch-range.js";

/** Names of the tensors of an argument. */
function tensorsOf(value: Pt2Argument): readonly (string | null)[] {
  if (value.kind === "tensor") return [value.name];
  return value.kind === "tensors" ? value.names : [];
}

/** Values that the images have a part in, and those that no tensor has one in, such as `torch.rand(4, 8)`. */
function valuesOfImages({ nodes }: Pt2Program, input: string): Set<string | null> {
  const found = new Set<string | null>([input]);
  for (const { inputs, outputs } of nodes) {
    const given = inputs.flatMap(({ value }) => tensorsOf(value));
    const isOfImages = given.length === 0 || given.some((name) => found.has(name));
    if (isOfImages) for (const name of outputs.flatMap(tensorsOf)) found.add(name);
  }
  return found;
}

/**
 * Tells of a value whether its rows are those of the images, in a graph for a fixed number of them: one of
 * the images that has exactly as many. A weight may have as many by chance.
 */
export function rowsOfFixed(program: Pt2Program, input: string, batch: number): (value: string) => boolean {
  const ofImages = valuesOfImages(program, input);
  return (value) => ofImages.has(value) && program.formOf(value)?.sizes[0] === batch;
}

/**
 * Tells of a value whether its rows are those of the images, or so many of each. Sizes are expressions of
 * SymPy: `Symbol('s77', ...)`, or `Mul(Integer(2), Symbol('s77', ...))`.
 */
export function rowsOfFree(program: Pt2Program, symbol: string): (value: string) => boolean {
  return (value) => {
    const rows = program.formOf(value)?.sizes[0];
    if (rows === undefined || typeof rows === "number") return false;
    return factored(rows.symbol).of === symbol;
  };
}
