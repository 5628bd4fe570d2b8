import { FileFormatError, shownName } from "../../../base/index.js";
import {
  type OnnxElements,
  type OnnxModel,
  type OnnxNode,
  type OnnxValue,
  onnxType,
} from "../../../files/index.js";
import type { ImageShape } from "../../model.js";
import type { Graph, GraphNode, GraphValue } from "../graph.js";
import { passingOfOnnx } from "../normalizes.js";

/** Form in which a graph takes images. */
export interface ImageInput {
  /** Name of the value in the file. */
  readonly name: string;
  readonly shape: ImageShape;
  readonly layout: "NCHW" | "NHWC";
  /** Sides of the value that the images become, without the batch. */
  readonly sizes: readonly number[];
  /** Number of images that the file says; undefined where it is free. */
  readonly batch: number | undefined;
  /** Factor of pixels in [0, 1]. */
  readonly scale: number;
  readonly type: Graph["imageType"];
  readonly notes: readonly string[];
}

const channelCounts = [1, 3, 4];

/** The one input that is no weight. */
function inputOf({ graph }: OnnxModel, file: string): OnnxValue {
  const weights = new Set(graph.initializers.map(({ name }) => name));
  const inputs = graph.inputs.filter(({ name }) => !weights.has(name));
  if (inputs.length === 1) return inputs[0]!;
  const names = inputs.slice(0, 8).map(({ name }) => shownName(name));
  throw new FileFormatError(
    `${file}: it has ${inputs.length} inputs (${names.join(", ")}); a classifier of images has one: ` +
      "export the part of the model that goes from images to logits",
  );
}

/** Reads how a graph takes images, from the shape of its input and its first operators. */
export function imageInput(
  model: OnnxModel,
  constants: ReadonlyMap<string, OnnxElements>,
  file: string,
  given?: ImageShape,
): ImageInput {
  const { name, type: code, shape } = inputOf(model, file);
  const type = code === undefined ? undefined : onnxType(code);
  const refuse = (problem: string) =>
    new FileFormatError(`${file}: its input "${shownName(name)}" ${problem}`);
  if (type === undefined || type === "string" || type === "bool") throw refuse("does not hold numbers");
  if (/int4|float8/.test(type)) throw refuse(`holds ${type}, in which images are not given here`);
  if (shape === undefined || shape.length < 2) {
    throw refuse("has no shape of a batch of images: export it with one");
  }
  const [batch, ...sides] = shape;
  if (!sides.every((side) => typeof side === "number" && side > 0) && given === undefined) {
    throw refuse(
      `has the sides [${shape.map((side) => shownName(String(side))).join(", ")}]; say inputShape: [C, H, W]`,
    );
  }
  const { layout, images } = layoutOf(sides, given, convolved(model, constants, name), refuse);
  const notes: string[] = [];
  if (layout === "NHWC")
    notes.push("images are given to the model with their channels last, as it was built");
  const ofIntegers = /int/.test(type);
  const range = ofIntegers ? 255 : rangeOf(model, constants, name, notes);
  if (ofIntegers) {
    notes.push(`the model takes pixels as ${type}; attacks see them in [0, 1], times 255 and not rounded`);
  }
  return {
    name,
    shape: images,
    layout,
    sizes:
      layout === "NHWC"
        ? [images[1], images[2], images[0]]
        : sides.length === 3
          ? images
          : sizesOf(sides, images),
    batch: typeof batch === "number" && batch > 0 ? batch : undefined,
    scale: range,
    type: type === "float64" ? "float64" : "float32",
    notes,
  };
}

function sizesOf(sides: readonly (number | string)[], [c, h, w]: ImageShape): readonly number[] {
  return sides.length === 1 ? [c * h * w] : sides.map(Number);
}

/** Channels that a convolution takes of the input, where one reads it as it lies in the file. */
function convolved(
  { graph }: OnnxModel,
  constants: ReadonlyMap<string, OnnxElements>,
  input: string,
): number | undefined {
  let name: string | undefined = input;
  for (let i = 0; i < 8 && name !== undefined; i++) {
    const [first]: readonly OnnxNode[] = graph.nodes.filter(({ inputs }) => inputs.includes(name!));
    if (first?.operator === "Conv" && first.inputs[0] === name) {
      const { shape } = constants.get(first.inputs[1] ?? "") ?? {};
      const group = first.attributes.get("group");
      return shape?.[1] === undefined ? undefined : shape[1] * (group?.kind === "int" ? group.value : 1);
    }
    const keepsOrder = ["Identity", "Cast", "Sub", "Add", "Mul", "Div"].includes(first?.operator ?? "");
    name = keepsOrder ? first?.outputs[0] : undefined;
  }
  return undefined;
}

function layoutOf(
  sides: readonly (number | string)[],
  given: ImageShape | undefined,
  channels: number | undefined,
  refuse: (problem: string) => FileFormatError,
): { layout: "NCHW" | "NHWC"; images: ImageShape } {
  const fits = (order: ImageShape | undefined) =>
    order === undefined ||
    sides.every((side, i) => typeof side !== "number" || side <= 0 || side === order[i]);
  if (sides.length === 3) {
    // A width of 1, 3 or 4 looks like channels: what a convolution takes tells them apart.
    const looksLast = !channelCounts.includes(Number(sides[0])) && channelCounts.includes(Number(sides[2]));
    const isLast = looksLast && channels !== sides[0];
    const last: ImageShape | undefined = given && [given[1], given[2], given[0]];
    if (isLast && fits(last)) {
      return { layout: "NHWC", images: given ?? [Number(sides[2]), Number(sides[0]), Number(sides[1])] };
    }
    if (fits(given)) return { layout: "NCHW", images: given ?? (sides.map(Number) as unknown as ImageShape) };
  } else if (given !== undefined || sides.length === 1) {
    const size = sides.reduce<number>((product, side) => product * Number(side), 1);
    if (given === undefined) return { layout: "NCHW", images: [1, 1, size] };
    if (given[0] * given[1] * given[2] === size) return { layout: "NCHW", images: given };
  }
  throw refuse(
    `of sides [${sides.map((side) => shownName(String(side))).join(", ")}] is no batch of images [C, H, W]`,
  );
}

/** Factor of pixels in [0, 1] that the first arithmetic of a graph is made for: 255 or 1. */
function rangeOf(
  { graph }: OnnxModel,
  initializers: ReadonlyMap<string, OnnxElements>,
  input: string,
  notes: string[],
): number {
  const constants = new Map(initializers);
  let name = input;
  for (let i = 0; i < 8; i++) {
    const readers = graph.nodes.filter(({ inputs }) => inputs.includes(name));
    const [first] = readers;
    if (readers.length !== 1 || first === undefined) return 1;
    if (
      passingOfOnnx.includes(first.operator) &&
      first.inputs[0] === name &&
      first.outputs[0] !== undefined
    ) {
      name = first.outputs[0];
      continue;
    }
    const numbers = otherNumbers(first, name, constants);
    return numbers.length === 0 ? 1 : rangeSaidBy(first.operator, numbers, notes);
  }
  return 1;
}

/** The few numbers that a node combines a value with. */
function otherNumbers(node: OnnxNode, name: string, constants: ReadonlyMap<string, OnnxElements>): number[] {
  const other = node.inputs.find((input) => input !== name);
  const data = other === undefined ? undefined : constants.get(other)?.data;
  if (data === undefined || data.length > 4) return [];
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

function rangeSaidBy(operator: string, numbers: readonly number[], notes: string[]): number {
  const every = (least: number, most: number) => numbers.every((one) => one >= least && one <= most);
  // A deviation in bytes, such as 255 x 0.225, and what multiplies by its inverse.
  const ofBytes =
    (operator === "Div" && every(40, 256)) ||
    (operator === "Mul" && every(1 / 256, 1 / 40)) ||
    ((operator === "Sub" || operator === "Add") &&
      numbers.every((one) => Math.abs(one) >= 20 && Math.abs(one) <= 200));
  if (ofBytes) {
    const shown = numbers.map((value) => Number(value.toPrecision(4))).join(", ");
    notes.push(
      `the model's first step (${operator} by ${shown}) is made for pixels of 0 to 255: they are times 255`,
    );
    return 255;
  }
  return 1;
}

/** Nodes that make a graph's input of images in [0, 1], and the name of the value that they read. */
export function imageNodes({ name, layout, shape, sizes, scale }: ImageInput): {
  input: string;
  nodes: GraphNode[];
} {
  const nodes: GraphNode[] = [];
  const input =
    layout === "NHWC" || scale !== 1 || shape.join() !== sizes.join() ? `${name} as images` : name;
  const step = (operator: string, run: (value: GraphValue) => GraphValue, made: string) => {
    const before = nodes.at(-1)?.outputs[0] ?? input;
    nodes.push({
      name: `${operator} of images`,
      operator,
      inputs: [before],
      outputs: [made],
      run: ([x]) => [run(x!)],
    });
  };
  const tensorIn = (value: GraphValue) => value as Exclude<GraphValue, number | boolean | null>;
  if (scale !== 1) step("Mul", (x) => tensorIn(x).mul(scale), layout === "NHWC" ? `${name} in bytes` : name);
  if (layout === "NHWC") step("Transpose", (x) => tensorIn(x).permute([0, 2, 3, 1]), name);
  return nodes.length > 0 ? { input, nodes } : { input: name, nodes };
}
