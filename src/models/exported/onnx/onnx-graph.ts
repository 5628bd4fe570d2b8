import { countText, FileFormatError, shownName } from "../../../base/index.js";
import type { Tensor } from "../../../engine/index.js";
import {
  type OnnxElements,
  type OnnxFile,
  type OnnxModel,
  onnxType,
  readOnnx,
} from "../../../files/index.js";
import type { ImageShape } from "../../model.js";
import type { Graph, GraphNode, GraphWeight } from "../graph.js";
import { onnxGraphSha256 } from "../hash/onnx-hash.js";
import { constantsOf, neededNodes, type Trial, tryGraph, withConstants } from "./fold.js";
import { type Held, heldTensors, withFreeBatch } from "./held.js";
import { type ImageInput, imageInput, imageNodes } from "./images.js";
import type { NodeView, NodeWorld } from "./node.js";
import { checkNodes, graphNodes, opsetOf } from "./nodes.js";
import { withNoiseAxes } from "./noise-axes.js";
import { parameterNames } from "./parameters.js";
import { beforeArranging, beforeChoice, flattened, logitsOf, makersOf } from "./scores.js";
import { withoutSequences } from "./sequences.js";
import { tensorOf } from "./values.js";

/** Elements that one value may have while a graph is tried, on one image or two. */
const mostInTrial = 2 ** 26;

/** Outputs that a file may have, each of which is kept while the graph is tried. */
const mostOutputs = 1000;

/** Graph out of an ONNX file. */
export interface OnnxGraphRead {
  readonly graph: Graph;
  /** Channels, height and width of the images, in this order. */
  readonly imageShape: ImageShape;
  readonly classes: number;
  /** Hash of the file, and of weights in files beside it. */
  readonly sha256: string;
  /** Hash of the graph's structure. */
  readonly graphSha256: string;
  readonly opset: number;
  /** Program that wrote the file, as it says. */
  readonly producer: string;
  /** Sentences for whoever runs the model. */
  readonly notes: readonly string[];
}

/**
 * Reads an ONNX file of a classifier as a graph. Arithmetic of shapes is done here, once.
 *
 * @param path of the file, or its bytes
 * @param given shape of an image, where the file leaves it free
 * @throws FileFormatError that lists every operator that is not known
 */
export function onnxGraph(path: string | Uint8Array, given?: ImageShape): OnnxGraphRead {
  const file = typeof path === "string" ? path : "ONNX bytes";
  // Before the rest, whose errors are faults of the file.
  const source = readOnnx(path);
  try {
    return graphOf(source, file, given);
  } catch (error) {
    throw named(error, file);
  } finally {
    source.close();
  }
}

/** An error that names the file; what libtorch refuses is a fault of the file too. */
function named(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || error.message.startsWith(file)) return error;
  return new FileFormatError(`${file}: ${error.message}`, { cause: error });
}

function graphOf(source: OnnxFile, file: string, given: ImageShape | undefined): OnnxGraphRead {
  const opset = opsetOf(source.model, file);
  const plain = withoutSequences(source);
  checkNodes(plain, file);
  const held = heldTensors({ ...source, model: plain });
  const { model, constants } = held;
  const graphSha256 = onnxGraphSha256(source.model, constants, (tensor) => source.elements(tensor));
  const world: { -readonly [K in keyof NodeWorld]: NodeWorld[K] } = {
    opset,
    mostElements: mostInTrial,
    elements: (tensor) => source.elements(tensor),
    typeOf: (name) => constants.get(name)?.type,
  };
  const images = imageInput(model, constants, file, given);
  const lowered = graphNodes(model, world);
  const parameters = parameterNames(model.graph);
  const names = model.graph.outputs.map(({ name }) => name);
  if (names.length > mostOutputs)
    throw new RangeError(`it has ${names.length} outputs; at most ${mostOutputs} are looked at`);
  const makers = makersOf(lowered.map(({ node }) => node));
  const kept = names.map((name) => beforeChoice(makers, name));
  const narrow = narrowFloats(model.graph, constants);
  const notes = [...images.notes];
  if (narrow.length > 0) notes.push(`the model was made for ${narrow.join(" and ")}; it is run in float32`);
  const graphWith = (tensors: Held["constants"]) => wholeGraph(images, lowered, tensors, parameters);
  const tried = tryBatches(held, images.batch, graphWith, kept);
  if (tried.batch !== undefined) {
    const why = images.batch === undefined ? "since more fail or change an image's logits" : "by its export";
    notes.push(`the model takes exactly ${countText(tried.batch, "image")} at a time, ${why}`);
  }
  checkAttributes(lowered.map(({ view }) => view));
  const found = logitsOf(tried.trials[0]!, kept, names, notes);
  const output = beforeArranging(found, makers, tried.trials[0]!);
  world.mostElements = 2 ** 40;
  const known = constantsOf(tried.trials);
  for (const { outputs, fixed } of tried.trials) {
    for (const [name, value] of [...outputs, ...fixed]) if (known.get(name) !== value) value.dispose();
  }
  const batch = { least: tried.batch ?? 1, most: tried.batch ?? 2 ** 31 };
  const drawn = withNoiseAxes(tried.graph, tried.trials);
  const graph = folded({ ...drawn, output: output.name, batch }, known, tried.constants);
  return {
    graph: flattened(graph, output),
    imageShape: images.shape,
    classes: output.classes,
    sha256: source.sha256(),
    graphSha256,
    opset,
    producer: model.producer,
    notes,
  };
}

/** The graph before anything is folded: all that the file holds is a weight. */
function wholeGraph(
  images: ImageInput,
  lowered: readonly { readonly node: GraphNode }[],
  constants: ReadonlyMap<string, OnnxElements>,
  parameters: ReadonlySet<string>,
): Graph {
  const { input, nodes } = imageNodes(images);
  const weights = [...constants].map(([name, elements]): GraphWeight => {
    return { name, values: [name], parameter: parameters.has(name), make: () => tensorOf(elements) };
  });
  return {
    input,
    imageSizes: images.layout === "NHWC" ? images.shape : images.sizes,
    imageType: images.type,
    output: "",
    batch: { least: 1, most: 1 },
    weights,
    nodes: [...nodes, ...lowered.map(({ node }) => node)],
  };
}

/** A graph that was tried, and the batch that it is bound to; undefined for any number of images. */
interface Tried {
  readonly graph: Graph;
  readonly constants: Held["constants"];
  readonly trials: readonly Trial[];
  readonly batch: number | undefined;
}

/**
 * Trials with one image and with two, or as many as the file says and one more: then the number that it says
 * binds nobody, as long as an image's logits stay what they are.
 */
function tryBatches(
  held: Held,
  batch: number | undefined,
  graphWith: (constants: Held["constants"]) => Graph,
  kept: readonly string[],
): Tried {
  const count = batch ?? 1;
  const bytes = [...held.constants.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  const constants = batch === undefined ? held.constants : withFreeBatch(held, count);
  try {
    const graph = graphWith(constants);
    const trials = [tryGraph(graph, count, kept, bytes), tryGraph(graph, count + 1, kept, bytes)] as const;
    const isRandom = graph.nodes.some(({ random }) => random === true);
    if (kept.some((name) => agree(trials, name, isRandom)))
      return { graph, constants, trials, batch: undefined };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
  const graph = graphWith(held.constants);
  return { graph, constants: held.constants, trials: [tryGraph(graph, count, kept, bytes)], batch: count };
}

/** Tells whether an output has a row for each image, the same with another image beside them. */
function agree([first, second]: readonly [Trial, Trial], name: string, isRandom: boolean): boolean {
  const [a, b] = [first.outputs.get(name)!, second.outputs.get(name)!];
  if (a.shape[0] !== first.images || b.shape[0] !== second.images) return false;
  return isRandom || isClose(a, b.slice(0, 0, first.images));
}

function isClose(a: Tensor, b: Tensor): boolean {
  if (a.size === 0 || a.shape.join() !== b.shape.join()) return false;
  const [left, right] = [a.toNumbers(), b.toNumbers()];
  const largest = left.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  return left.every((value, i) => !(Math.abs(value - right[i]!) > 1e-3 * largest));
}

/** Floats of 16 bits among a file's inputs and weights. */
function narrowFloats({ inputs }: OnnxModel["graph"], constants: Held["constants"]): string[] {
  const types = [
    ...inputs.map(({ type }) => (type === undefined ? undefined : onnxType(type))),
    ...[...constants.values()].map(({ type }) => type),
  ];
  return ["float16", "bfloat16"].filter((narrow) => types.some((type) => type === narrow));
}

/** Refuses attributes that no operator asked for: they would change what is computed. */
function checkAttributes(views: readonly NodeView[]): void {
  for (const view of views) {
    const [unread] = view.unread();
    if (unread !== undefined) throw view.refuse(`its attribute ${shownName(unread)} is not known here`);
  }
}

/** The graph with known values built in: weights stay by name, single and whole numbers join the nodes. */
function folded(
  graph: Graph,
  known: ReadonlyMap<string, Tensor>,
  constants: ReadonlyMap<string, OnnxElements>,
): Graph {
  const needed = neededNodes(graph, known);
  const read = new Set(needed.flatMap(({ inputs }) => inputs));
  const built = new Map<string, Tensor>();
  const weights: GraphWeight[] = [];
  for (const [name, value] of known) {
    if (!read.has(name)) continue;
    if (isWeight(value.size, value.dtype)) {
      weights.push({ name, values: [name], parameter: false, make: () => value.clone() });
    } else built.set(name, value);
  }
  for (const weight of graph.weights) {
    const { data, stored } = constants.get(weight.name)!;
    if (!read.has(weight.name)) continue;
    if (isWeight(data.length, stored)) weights.push(weight);
    else built.set(weight.name, weight.make());
  }
  return { ...graph, weights, built, nodes: needed.map((node) => withConstants(node, built)) };
}

function isWeight(size: number, type: string): boolean {
  return size > 1 && /float/.test(type);
}
