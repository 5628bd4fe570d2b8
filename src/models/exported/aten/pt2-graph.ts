import { countText } from "../../../base/index.js";
import {
  call,
  elementBytes,
  keep,
  operator,
  scope,
  type Tensor,
  tensorOfBytes,
} from "../../../engine/index.js";
import { type Pt2File, type Pt2Program, type Pt2Tensor, spannedBytes } from "../../../files/index.js";
import { checkOrder, type Graph, type GraphNode, type GraphWeight } from "../graph.js";
import { namesOnce } from "../names-once.js";
import { isAssertion } from "./allowed.js";
import { batchRange } from "./batch-range.js";
import { lowerCopy } from "./copied.js";
import { lowerAten, type Target } from "./lower-node.js";
import { rowsOfFixed, rowsOfFree } from "./noise-rows.js";
import { lowerQuantized } from "./quantized.js";
import { lowerRandom } from "./random.js";
import { lowerSymbol } from "./symbols.js";

const asStrided = operator("aten::as_strided", "");

/** Tensor that an archive holds, a copy in its own strides: kernels choose by them. */
export function tensorOf(stored: Pt2Tensor): Tensor {
  const { type, shape, strides } = stored;
  return keep(
    scope(() => {
      const bytes = spannedBytes(stored);
      const flat = tensorOfBytes(bytes, [bytes.length / elementBytes[type]], type);
      return call(asStrided, [flat, shape, strides, 0]) as Tensor;
    }),
  );
}

/** Weights, buffers and constants of a program; tied ones are one tensor by the first of their names. */
function weightsOf({ program, weights, constants }: Pt2File): GraphWeight[] {
  const found = new Map<string, { stored: Pt2Tensor; name: string; values: string[]; parameter: boolean }>();
  for (const { kind, target, value } of program.inputs) {
    if (kind === "user" || kind === "other" || value.kind !== "tensor") continue;
    const stored = weights.get(target) ?? constants.get(target);
    if (stored === undefined) throw new TypeError(`its ${kind} "${target}" is not in the archive`);
    const { file, shape, strides, offset, type } = stored;
    // Whole numbers and booleans have no gradient.
    const parameter = kind === "parameter" && /float/.test(type);
    const place = `${file} ${offset} ${shape} ${strides} ${type}`;
    const before = found.get(place);
    if (before === undefined) found.set(place, { stored, name: target, values: [value.name], parameter });
    else
      found.set(place, {
        ...before,
        values: [...before.values, value.name],
        parameter: parameter || before.parameter,
      });
  }
  return [...found.values()].map(({ stored, ...weight }) => ({ ...weight, make: () => tensorOf(stored) }));
}

/** Reason why an operator of another namespace cannot be run, and the way out; undefined for one of ATen. */
function foreign(target: string): string | undefined {
  const [, , namespace = "", name = target] = target.split(".");
  if (namespace === "higher_order") {
    return (
      `higher-order operator ${name} (control flow, or a region without gradients): ` +
      "call .run_decompositions({}) on what export returned, or write it without torch.cond and no_grad"
    );
  }
  if (namespace === "torchao") {
    return (
      `operator torchao::${name} of a quantized model is not read: quantize by prepare_pt2e and ` +
      "convert_pt2e (operators of quantized_decomposed), or export the model before it is quantized"
    );
  }
  if (target.startsWith("torch.ops.") && namespace !== "aten") {
    return `operator ${namespace}::${name}: its code is not in the file; write it by PyTorch's own operators`;
  }
  return undefined;
}

/** Says which operators of ATen are not read, and the way out. */
function unsupported(targets: ReadonlySet<string>): string {
  const names = [...targets].map((target) => target.replace(/^torch\.ops\./, ""));
  const [noun, verb] = names.length === 1 ? ["operator", "is"] : ["operators", "are"];
  const [shown, more] = [names.slice(0, 20).join(", "), names.length - 20];
  return (
    `${noun} ${shown}${more > 0 ? ` and ${more} more` : ""} ${verb} not supported; call ` +
    ".run_decompositions() on what export returned (or leave that out, where it was called), or write it " +
    "otherwise"
  );
}

/** Form of the images and the free symbol of their number. */
function imagesOf(program: Pt2Program) {
  const users = program.inputs.filter(({ kind }) => kind === "user");
  const other = program.inputs.find(({ kind }) => kind === "other");
  if (other !== undefined) throw new TypeError(`it has an input of kind ${other.written}, which is not read`);
  const tensors = users.filter(({ value }) => value.kind === "tensor");
  const [images] = tensors;
  if (tensors.length !== 1 || users.length !== 1 || images?.value.kind !== "tensor") {
    const advice = "export a module that takes the images alone, and makes the rest itself";
    throw new TypeError(
      `it takes ${countText(users.length, "input")}; a classifier takes one tensor of images: ${advice}`,
    );
  }
  const form = program.formOf(images.value.name);
  if (form === undefined) throw new TypeError("it does not say the shape of its images");
  return { input: images.value.name, ...form };
}

/** Name of the only output. */
function outputOf({ outputs }: Pt2Program): string {
  const changed = outputs.find(({ kind }) => kind !== "user_output");
  if (changed !== undefined) {
    throw new TypeError(
      `it changes its own state (${changed.kind}): it was exported in training mode; call model.eval() first`,
    );
  }
  const [output] = outputs;
  if (outputs.length !== 1 || output?.value.kind !== "tensor") {
    throw new TypeError(
      `it returns ${countText(outputs.length, "value")}; export a module that returns the logits alone`,
    );
  }
  return output.value.name;
}

/** Lowers every node, and throws one TypeError that lists all that cannot be. */
function nodesOf({ nodes, formOf }: Pt2Program, isPerImage: (value: string) => boolean): GraphNode[] {
  const faults = new Set<string>();
  const unknown = new Set<string>();
  const lowered: GraphNode[] = [];
  for (const node of nodes) {
    const found = /^torch\.ops\.aten\.(\w+)\.(\w+)$/.exec(node.target);
    const target: Target | undefined =
      found === null ? undefined : { name: found[1]!, overload: found[2] === "default" ? "" : found[2]! };
    if (target !== undefined && isAssertion(target.name)) continue;
    try {
      const made =
        lowerSymbol(node) ??
        lowerQuantized(node) ??
        lowerCopy(node) ??
        (target && (lowerRandom(node, target, isPerImage) ?? lowerAten(node, target, formOf)));
      const reason = made === undefined ? foreign(node.target) : undefined;
      if (made !== undefined) lowered.push(made);
      else if (reason === undefined) unknown.add(node.target);
      else faults.add(reason);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      faults.add(`node "${node.name}": ${error.message}`);
    }
  }
  if (unknown.size > 0) faults.add(unsupported(unknown));
  if (faults.size > 0) throw new TypeError([...faults].slice(0, 20).join("; "));
  return named(lowered);
}

/** Gives nodes without a name of their own, or with another's, one. */
function named(nodes: readonly GraphNode[]): GraphNode[] {
  const names = nodes.map(({ name, outputs }) => (name === "" ? (outputs[0] ?? "node") : name));
  const once = namesOnce(names, "_", 1);
  return nodes.map((node, i) => ({ ...node, name: once[i]! }));
}

/** Refuses in-place operators that write to weights, as batch normalization in training mode does. */
function checkWrites(graph: Graph): void {
  const root = new Map(graph.weights.flatMap(({ name, values }) => values.map((value) => [value, name])));
  for (const { inputs, outputs, shares, writes, operator: written } of graph.nodes) {
    const [first] = inputs;
    const weight = first === undefined ? undefined : root.get(first);
    if (writes !== undefined && weight !== undefined) {
      throw new TypeError(
        `${written} writes to "${weight}": the model was exported in training mode; call model.eval() first`,
      );
    }
    const shared = shares === undefined ? undefined : root.get(inputs[shares] ?? "");
    if (shared !== undefined) for (const name of outputs) if (name !== null) root.set(name, shared);
  }
}

/** Types of 16 bits in which a program computes, in whole or part: those of its images, weights and casts. */
export function narrowTypes({ program, weights, constants }: Pt2File, { imageType }: Graph): string[] {
  const casts = program.nodes.flatMap(({ inputs }) => inputs.map(({ value }) => value));
  const types = new Set<unknown>([
    imageType,
    ...[...weights.values(), ...constants.values()].map(({ type }) => type),
    ...casts.map((argument) => (argument.kind === "type" ? argument.value : undefined)),
  ]);
  return ["float16", "bfloat16"].filter((type) => types.has(type));
}

const imageTypes = ["float32", "float64", "float16", "bfloat16"] as const;

/**
 * Graph of a .pt2 file.
 *
 * @throws TypeError or RangeError that says what cannot be run, and the way out
 */
export function graphOfPt2(file: Pt2File): Graph {
  const { program } = file;
  const { input, sizes, type } = imagesOf(program);
  const imageType = imageTypes.find((one) => one === type);
  if (imageType === undefined) {
    throw new TypeError(`its images are ${type}; they must be floats, so that there are gradients`);
  }
  const [batch, ...imageSizes] = sizes;
  const free = imageSizes.find((size) => typeof size !== "number");
  if (batch === undefined || free !== undefined) {
    throw new TypeError("it leaves more open than the number of images: export it for one size of images");
  }
  const isPerImage =
    typeof batch === "number" ? rowsOfFixed(program, input, batch) : rowsOfFree(program, batch.symbol);
  const graph: Graph = {
    input,
    imageSizes: imageSizes as number[],
    imageType,
    output: outputOf(program),
    batch: batchRange(program, batch),
    weights: weightsOf(file),
    nodes: nodesOf(program, isPerImage),
  };
  checkOrder(graph);
  checkWrites(graph);
  return graph;
}
