import { deriveSeed, sizeOf } from "../../../base/index.js";
import {
  imageIdRange,
  keep,
  noGrad,
  scope,
  Tensor,
  uniform,
  withMemoryLimit,
} from "../../../engine/index.js";
import { collect, readsAny } from "../flow.js";
import type { Graph, GraphNode, GraphValue } from "../graph.js";
import { Lifetimes } from "../lifetimes.js";

/** Findings of running a graph once. */
export interface Trial {
  readonly images: number;
  /** Shapes of all values. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Values that do not depend on the pixels. */
  readonly fixed: ReadonlyMap<string, Tensor>;
  readonly outputs: ReadonlyMap<string, Tensor>;
}

/** Values that depend on the pixels, and so cannot be known before. */
function valuesOfPixels({ input, nodes }: Graph): ReadonlySet<string> {
  const found = new Set([input]);
  return collect(
    nodes,
    found,
    (node) => node.random === true || (node.shapeOnly !== true && readsAny(node, found)),
  );
}

/** Bytes that a trial may take beside the weights: as many as are usual for images of the size. */
function memoryFor({ imageSizes, weights }: Graph, images: number, weightBytes: number): number {
  const pixels = sizeOf(imageSizes);
  // Quantized weights become floats, and are kept as such beside them.
  return weights.length * 64 + 12 * weightBytes + Math.max(3 * 2 ** 28, images * pixels * 4 * 64);
}

/** Noise for a trial of so many images. */
function trialNoise(images: number) {
  return { seed: deriveSeed(0, "trial of a graph"), draw: 0, imageIds: imageIdRange(0, images) };
}

/**
 * Runs a graph once on images of uniform noise, to see shapes and the values that no pixel changes.
 *
 * @param graph with all its weights as values
 * @param images to run on at once
 * @param kept names of outputs that are wanted
 * @param weightBytes of the weights as the file has them
 */
export function tryGraph(graph: Graph, images: number, kept: readonly string[], weightBytes: number): Trial {
  return withMemoryLimit(memoryFor(graph, images, weightBytes), () => trialOf(graph, images, kept));
}

function trialOf(graph: Graph, images: number, kept: readonly string[]): Trial {
  const pixels = valuesOfPixels(graph);
  const wanted = new Set(kept);
  const shapes = new Map<string, readonly number[]>();
  const fixed = new Map<string, Tensor>();
  const outputs = new Map<string, Tensor>();
  scope(() =>
    noGrad(() => {
      const noise = trialNoise(images);
      const values = new Lifetimes(graph).begin();
      const set = (name: string, value: GraphValue) => {
        values.set(name, value);
        if (!(value instanceof Tensor)) return;
        shapes.set(name, value.shape);
        if (wanted.has(name)) outputs.set(name, keep(value.clone()));
        else if (!pixels.has(name)) fixed.set(name, keep(value.clone()));
      };
      for (const { values: names, make } of graph.weights)
        for (const name of names) values.lend(name, make());
      set(graph.input, uniform(noise, graph.imageSizes, 0).to(graph.imageType));
      const context = { device: "cpu", noise, noiseFree: false, stream: 0 };
      for (const [i, node] of graph.nodes.entries()) {
        const made = node.run(
          node.inputs.map((name) => values.get(name)),
          context,
        );
        for (const [k, name] of node.outputs.entries()) if (name !== null) set(name, made[k] ?? null);
        values.freeAfter(i, new Map());
      }
    }),
  );
  return { images, shapes, fixed, outputs };
}

function same(a: Tensor, b: Tensor): boolean {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false;
  const [left, right] = [a.toArray(), b.toArray()];
  return Buffer.from(left.buffer).equals(Buffer.from(right.buffer));
}

/** Values that are the same in all trials, and so are constants of the graph. */
export function constantsOf([first, ...others]: readonly Trial[]): Map<string, Tensor> {
  const constants = new Map<string, Tensor>();
  for (const [name, value] of first!.fixed) {
    if (others.every(({ fixed }) => same(value, fixed.get(name)!))) constants.set(name, value);
  }
  return constants;
}

/** Nodes that the output depends on, once constants are known. */
export function neededNodes(graph: Graph, constants: ReadonlyMap<string, Tensor>): GraphNode[] {
  const wanted = new Set([graph.output]);
  const needed = [...graph.nodes].reverse().filter(({ inputs, outputs }) => {
    const makes = outputs.some((name) => name !== null && wanted.has(name) && !constants.has(name));
    if (makes) for (const name of inputs) wanted.add(name);
    return makes;
  });
  return needed.reverse();
}

/** The same node with constants built in: it reads the other values only. */
export function withConstants(node: GraphNode, built: ReadonlyMap<string, Tensor>): GraphNode {
  if (!node.inputs.some((name) => built.has(name))) return node;
  const inputs = node.inputs.filter((name) => !built.has(name));
  const all = (given: readonly GraphValue[]) => {
    let next = 0;
    return node.inputs.map((name) => built.get(name) ?? given[next++]!);
  };
  const { run, standIn } = node;
  return {
    ...node,
    inputs,
    run: (given, context) => run(all(given), context),
    ...(standIn === undefined ? {} : { standIn: (given, context) => standIn(all(given), context) }),
  };
}
