// Passes with constant weights: the rewritten graph against PyTorch's numbers and against the graph of the file.
import { describe, expect, it } from "vitest";
import {
  grad,
  noGrad,
  operators as ops,
  packedLayer,
  packWeights,
  scope,
  type Tensor,
  tensor,
} from "../../../../src/engine/index.js";
import { searchGraph } from "../../../../src/models/exported/fuse/search-graph.js";
import type {
  Graph,
  GraphNode,
  LayerForm,
  NodeContext,
  NodeForm,
} from "../../../../src/models/exported/graph.js";
import { GraphModule } from "../../../../src/models/exported/graph-module.js";
import { crossEntropy } from "../../../../src/nn/index.js";
import { liveCount } from "../../../live-count.js";
import { difference, expected, images, load, noiseOf, numbers } from "../fixtures.js";

function noise(shape: readonly number[], seed: number, low = -1): Tensor {
  const size = shape.reduce((product, side) => product * side, 1);
  const value = (i: number) => low + ((1 - low) * ((i * 7919 + seed * 104729) % 1009)) / 1008;
  return tensor(
    Float32Array.from({ length: size }, (_, i) => value(i)),
    [...shape],
  );
}

/** Node of a graph whose form is known, and what it computes. */
function node(
  name: string,
  form: NodeForm | undefined,
  inputs: readonly string[],
  run: (...values: Tensor[]) => Tensor,
  writes?: "itself",
): GraphNode {
  return {
    name,
    operator: `aten.${name}`,
    inputs,
    outputs: [name],
    run: (values) => [run(...(values as Tensor[]))],
    form,
    ...(writes && { writes, shares: 0 }),
  };
}

const conv = (name: string, input: string, weight: string) =>
  node(
    name,
    { kind: "layer", input, weight, bias: null, stride: [1, 1], padding: [1, 1] },
    [input, weight],
    (x, w) => ops.conv2d(x!, w!, null, [1, 1], [1, 1], [1, 1], 1),
  );

const norm = (name: string, input: string) =>
  node(
    name,
    {
      kind: "normalization",
      input,
      weight: "scale",
      bias: "shift",
      mean: "mean",
      variance: "variance",
      epsilon: 1e-5,
    },
    [input, "scale", "shift", "mean", "variance"],
    (x, scale, shift, mean, variance) =>
      ops.batchNorm(x!, scale!, shift!, mean!, variance!, false, 0, 1e-5, false),
  );

const add = (name: string, a: string, b: string, inPlace = false) =>
  node(
    name,
    { kind: "sum", terms: [a, b] },
    [a, b],
    (x, y) => {
      if (!inPlace) return x!.add(y!);
      x!.add_(y!);
      return x!;
    },
    inPlace ? "itself" : undefined,
  );

const relu = (name: string, input: string) => node(name, { kind: "relu", input }, [input], (x) => x!.relu());

const weights = {
  first: () => noise([16, 3, 3, 3], 1).mul(0.3),
  second: () => noise([16, 16, 3, 3], 2).mul(0.1),
  third: () => noise([16, 16, 3, 3], 3).mul(0.1),
  scale: () => noise([16], 4, 0.5),
  shift: () => noise([16], 5),
  mean: () => noise([16], 6),
  variance: () => noise([16], 7, 0.2),
};

/** Graph of nodes between `images` and `end`, whose mean over pixels is the logits. */
function graphOf(nodes: readonly GraphNode[], end: string): Graph {
  return {
    input: "images",
    imageSizes: [3, 8, 8],
    imageType: "float32",
    output: "logits",
    batch: { least: 1, most: 100 },
    weights: Object.entries(weights).map(([name, make]) => ({
      name,
      values: [name],
      parameter: !/mean|variance/.test(name),
      make,
    })),
    nodes: [...nodes, node("logits", undefined, [end], (x) => x!.meanDim([2, 3]))],
  };
}

const residual = graphOf(
  [
    conv("conv1", "images", "first"),
    norm("bn1", "conv1"),
    relu("relu1", "bn1"),
    conv("conv2", "relu1", "second"),
    norm("bn2", "conv2"),
    relu("relu2", "bn2"),
    conv("conv3", "relu2", "third"),
    norm("bn3", "conv3"),
    add("sum", "bn3", "relu1", true),
    relu("relu3", "sum"),
  ],
  "relu3",
);

/** Logits and gradient of a module, as floats. */
function passOf(module: GraphModule, constantWeights: boolean, count = 3) {
  return scope(() => {
    const seen = images(count).requireGrad();
    const logits = module.apply(seen, { training: false, noise: noiseOf(count), constantWeights });
    const labels = tensor(
      Array.from({ length: count }, (_, i) => i),
      [count],
      "int64",
    );
    const [gradient] = grad(crossEntropy(logits, labels).sum(), [seen]);
    return { logits: logits.toArray() as Float32Array, gradient: gradient!.toArray() as Float32Array };
  });
}

/** Forms of a rewritten graph's layers, by their nodes' names. */
function layersOf(
  graph: Graph,
  isPinned: (node: GraphNode) => boolean = () => false,
): Record<string, LayerForm> {
  const made = Object.fromEntries(graph.weights.map(({ name, make }) => [name, make()]));
  const { nodes } = searchGraph(graph, (name) => made[name], isPinned).graph;
  for (const value of Object.values(made)) value.dispose();
  return Object.fromEntries(
    nodes.flatMap(({ name, form }) => (form?.kind === "layer" ? [[name, form] as const] : [])),
  );
}

function expectSame(graph: Graph): void {
  const module = new GraphModule(graph, { exactGradients: false });
  const [plain, rewritten] = [passOf(module, false), passOf(module, true)];
  expect(difference(rewritten.logits, plain.logits)).toBeLessThan(2e-6);
  expect(difference(rewritten.gradient, plain.gradient)).toBeLessThan(2e-6);
  module.dispose();
}

describe("a pass with constant weights", () => {
  it.each([
    ...["layers", "layers-static", "decomposed", "transformer", "plain"],
    ...["spelled", "spelled-decomposed"],
  ])("has PyTorch's logits and gradients of %s", async (name) => {
    const { module } = (await load(name)).build({ seed: 0 });
    const { logits, gradient } = passOf(module as GraphModule, true);
    expect(difference(logits, numbers(expected[name]!.logits!))).toBeLessThan(1e-5);
    expect(difference(gradient, numbers(expected[name]!.gradient!))).toBeLessThan(1e-5);
    module.dispose();
  });

  it("makes a residual block three layers", () => {
    const layers = layersOf(residual);
    expect(Object.keys(layers)).toEqual(["relu1", "relu2", "relu3"]);
    expect(layers.relu3).toMatchObject({ input: "relu2", weight: "third", residual: "relu1", relu: true });
    expect(layers.relu3!.normalization?.mean).toBe("mean");
    expectSame(residual);
  });

  it("leaves values that somebody else reads", () => {
    const shared = graphOf(
      [
        conv("conv1", "images", "first"),
        norm("bn1", "conv1"),
        relu("relu1", "bn1"),
        add("sum", "relu1", "bn1"),
      ],
      "sum",
    );
    expect(Object.keys(layersOf(shared))).toEqual(["bn1"]);
    expectSame(shared);
    expect(Object.keys(layersOf(residual, ({ name }) => name === "bn3"))).toEqual(["relu1", "relu2", "bn3"]);
  });

  it("leaves layers whose input is written to before they end", () => {
    const scaled = node("twice", undefined, ["relu1"], (x) => x!, "itself");
    const written = graphOf(
      [
        conv("conv1", "images", "first"),
        relu("relu1", "conv1"),
        conv("conv2", "relu1", "second"),
        scaled,
        relu("relu2", "conv2"),
        add("sum", "relu2", "twice"),
      ],
      "sum",
    );
    expect(Object.keys(layersOf(written))).toEqual(["relu1", "conv2"]);
  });

  it("leaves layers of a graph that writes to memory under a view", () => {
    const flat = node("view", undefined, ["conv1"], (x) => x!.reshape([x!.shape[0]!, 16, 64]));
    const twice = (input: string) =>
      node(
        "twice",
        undefined,
        [input],
        (x) => {
          x!.mul_(2);
          return x!;
        },
        "itself",
      );
    const graph = (nodes: readonly GraphNode[], end: string) =>
      graphOf([conv("conv1", "images", "first"), ...nodes], end);
    const view: GraphNode = { ...flat, shares: 0 };
    const under = graph([view, twice("view"), relu("relu1", "conv1")], "relu1");
    expect(Object.keys(layersOf(under))).toEqual([]);
    expectSame(under);
    const before = graph([twice("conv1"), { ...view, inputs: ["twice"] }, relu("relu1", "twice")], "relu1");
    expect(Object.keys(layersOf(before))).toEqual(["conv1"]);
    expectSame(before);
  });

  it("leaves sums that write to the residual", () => {
    const written = graphOf(
      [
        conv("conv1", "images", "first"),
        conv("conv2", "images", "first"),
        norm("bn2", "conv2"),
        add("sum", "conv1", "bn2", true),
        add("again", "sum", "conv1"),
      ],
      "again",
    );
    expect(Object.keys(layersOf(written))).toEqual(["conv1", "bn2"]);
    expectSame(written);
  });

  it("adds residuals of another shape by the operator", () => {
    const wide = node("wide", undefined, ["relu1"], (x) => x!.meanDim([2, 3], true));
    const broadcast = graphOf(
      [
        conv("conv1", "images", "first"),
        relu("relu1", "conv1"),
        wide,
        conv("conv2", "relu1", "second"),
        add("sum", "wide", "conv2"),
        relu("relu2", "sum"),
      ],
      "relu2",
    );
    expect(layersOf(broadcast).relu2).toMatchObject({ residual: "wide" });
    expectSame(broadcast);
  });

  it("knows weights that were written to", () => {
    const module = new GraphModule(residual, { exactGradients: false });
    const before = passOf(module, true);
    noGrad(() => scope(() => module.state().get("second")!.detach().mul_(3)));
    noGrad(() => scope(() => module.state().get("variance")!.detach().add_(1)));
    const [plain, rewritten] = [passOf(module, false), passOf(module, true)];
    expect(difference(rewritten.logits, before.logits)).toBeGreaterThan(1e-2);
    expect(difference(rewritten.logits, plain.logits)).toBeLessThan(2e-6);
    module.dispose();
  });

  it.each([
    [6, 2],
    [8, 4],
  ])("packs weights for images of %i pixels a side, in tiles of %i", (side, tiles) => {
    scope(() => {
      const [x, weight] = [noise([2, 16, side, side], 8), weights.second()];
      const graph = graphOf([conv("conv", "images", "second")], "conv");
      const rewritten = searchGraph(
        graph,
        () => weight,
        () => false,
      );
      const [output] = rewritten.graph.nodes[0]!.run([x, weight], {} as NodeContext) as Tensor[];
      const bits = [2, 4].map((of) => {
        const packed = packWeights(weight, { stride: [1, 1], padding: [1, 1] }, [of, of]);
        const values = packedLayer(x, packed).toNumbers();
        for (const part of [packed.forward, packed.backward]) part.dispose();
        return values;
      });
      const same = bits.map((values) => values.join() === output!.toNumbers().join());
      expect(same).toEqual([tiles === 2, tiles === 4]);
      rewritten.dispose();
    });
  });

  it("frees its packed weights with the module", () => {
    const before = liveCount();
    const module = new GraphModule(residual, { exactGradients: false });
    passOf(module, true);
    const once = liveCount();
    passOf(module, true);
    expect(liveCount()).toBe(once);
    module.dispose();
    expect(liveCount()).toBe(before);
  });

  it("gives a classifier's pass, whose numbers its logits confirm", async () => {
    const model = (await load("layers")).build({ seed: 0 });
    const classifier = model.classifier();
    scope(() => {
      const pass = classifier.pass!(images(3), noiseOf(3))!;
      const logits = classifier.logits(images(3), noiseOf(3)).toArray() as Float32Array;
      expect(difference(pass.logits.toArray() as Float32Array, logits)).toBeLessThan(2e-6);
      const sides = pass.imageGradient(pass.logits.onesLike(), true).shape;
      expect(sides).toEqual([3, 3, 8, 8]);
    });
    model.module.dispose();
  });
});
