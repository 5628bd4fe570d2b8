import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { weightsSha256 } from "../../../src/evaluation/audit/evidence/model-facts.js";
import {
  type OnnxElements,
  type Pt2Argument,
  type Pt2File,
  type Pt2Size,
  readOnnx,
  readPt2,
} from "../../../src/files/index.js";
import { readGraphFile } from "../../../src/models/exported/graph-file.js";
import { GraphModule } from "../../../src/models/exported/graph-module.js";
import { onnxGraphSha256 } from "../../../src/models/exported/hash/onnx-hash.js";
import { pt2GraphSha256 } from "../../../src/models/exported/hash/pt2-hash.js";
import { heldTensors } from "../../../src/models/exported/onnx/held.js";
import { fixture, load } from "./fixtures.js";
import { loadOnnx, onnxFile } from "./onnx/fixtures.js";

/** The file with other names of values, nodes and weights, and one more buffer that nothing reads. */
function renamed(file: Pt2File): Pt2File {
  const { program } = file;
  const named = (name: string) => `other_${name}`;
  const size = (given: Pt2Size) => (typeof given === "number" ? given : { symbol: named(given.symbol) });
  const argument = (given: Pt2Argument): Pt2Argument => {
    if (given.kind === "tensor") return { ...given, name: named(given.name) };
    if (given.kind === "tensors") return { ...given, names: given.names.map((one) => one && named(one)) };
    if (given.kind === "number") return { ...given, value: size(given.value) };
    if (given.kind === "numbers") return { ...given, values: given.values.map(size) };
    return given;
  };
  const stored = (all: Pt2File["weights"]) =>
    new Map([...all].map(([name, tensor]) => [named(name), tensor]));
  const inputs = program.inputs.map((input) => ({
    ...input,
    target: named(input.target),
    value: argument(input.value),
  }));
  const counter = { ...inputs[0]!, target: "none", value: { kind: "tensor", name: "unread" } as const };
  return {
    ...file,
    weights: stored(file.weights),
    constants: stored(file.constants),
    program: {
      ...program,
      inputs: [counter, ...inputs],
      nodes: program.nodes.map((node) => ({
        ...node,
        name: named(node.name),
        inputs: node.inputs.map(({ name, value }) => ({ name, value: argument(value) })),
        outputs: node.outputs.map(argument),
      })),
      outputs: program.outputs.map((output) => ({ ...output, value: argument(output.value) })),
      formOf(value) {
        const found = program.formOf(value.replace("other_", ""));
        return found && { ...found, sizes: found.sizes.map(size) };
      },
    },
  };
}

/** The file with each weight's first byte changed. */
function retrained(file: Pt2File): Pt2File {
  const changed = (all: Pt2File["weights"]) =>
    new Map(
      [...all].map(([name, tensor]) => [name, { ...tensor, bytes: tensor.bytes.map((byte) => byte ^ 1) }]),
    );
  return { ...file, weights: changed(file.weights) };
}

test.each(["layers", "noisy", "transformer", "decomposed"])(
  "the structure of %s.pt2 has one hash, whatever its values are called and its weights are",
  (name) => {
    const file = readPt2(fixture(name));
    const sha256 = pt2GraphSha256(file);
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(pt2GraphSha256(renamed(file))).toBe(sha256);
    expect(pt2GraphSha256(retrained(file))).toBe(sha256);
    const { program } = file;
    const withNodes = (nodes: typeof program.nodes) =>
      pt2GraphSha256({ ...file, program: { ...program, nodes } });
    const [first, ...rest] = program.nodes;
    expect(withNodes(rest)).not.toBe(sha256);
    expect(withNodes([{ ...first!, target: "torch.ops.aten.relu.default" }, ...rest])).not.toBe(sha256);
    const attribute = { name: "alpha", value: { kind: "number", value: 2, isFloat: false } } as const;
    expect(withNodes([{ ...first!, inputs: [...first!.inputs, attribute] }, ...rest])).not.toBe(sha256);
  },
);

test("two versions of PyTorch export the same network to the same hash", async () => {
  for (const name of ["plain", "rounded"]) {
    const [before, after] = [await load(name), await load(`torch-2.14/${name}`)];
    const [a, b] = [before, after].map((model) => model.build({ seed: 0 }).graph!);
    expect(b!.sha256).toBe(a!.sha256);
    expect(b!.format).not.toBe(a!.format);
  }
});

test("connections count: two weights of a shape that change places are another graph", () => {
  const file = readPt2(fixture("transformer"));
  const { program } = file;
  const node = program.nodes.find(({ inputs }) => inputs.length > 1)!;
  const [first, second, ...rest] = node.inputs;
  const swapped = {
    ...node,
    inputs: [{ ...first!, value: second!.value }, { ...second!, value: first!.value }, ...rest],
  };
  const nodes = program.nodes.map((one) => (one === node ? swapped : one));
  expect(pt2GraphSha256({ ...file, program: { ...program, nodes } })).not.toBe(pt2GraphSha256(file));
});

test("the structure of an ONNX file has one hash, wherever its weights lie and whatever values are called", async () => {
  const source = readOnnx(onnxFile("layers-18"));
  const { constants } = heldTensors(source);
  const hashOf = (model: typeof source.model, held = constants) =>
    onnxGraphSha256(model, held, (tensor) => source.elements(tensor));
  const sha256 = hashOf(source.model);
  const { graph } = source.model;
  const named = (name: string) => (name === "" ? "" : `other ${name}`);
  const other = {
    ...source.model,
    producer: "another",
    graph: {
      initializers: [...graph.initializers].reverse().map((one) => ({ ...one, name: named(one.name) })),
      inputs: graph.inputs.map((one) => ({ ...one, name: named(one.name) })),
      outputs: graph.outputs.map((one) => ({ ...one, name: named(one.name) })),
      nodes: graph.nodes.map((node) => ({
        ...node,
        name: named(node.name),
        inputs: node.inputs.map(named),
        outputs: node.outputs.map(named),
      })),
    },
  };
  const held = new Map([...constants].map(([name, elements]) => [named(name), elements]));
  expect(hashOf(other, held)).toBe(sha256);
  const [first, ...rest] = graph.nodes;
  const changed = [
    { ...first!, attributes: new Map([["axis", { kind: "int", value: 3 } as const]]) },
    ...rest,
  ];
  expect(hashOf({ ...source.model, graph: { ...graph, nodes: changed } })).not.toBe(sha256);
  const graphOf = async (name: string) => (await loadOnnx(name)).build({ seed: 0 }).graph!;
  expect((await graphOf("layers-18")).sha256).toBe(sha256);
  expect((await graphOf("external")).sha256).toBe((await graphOf("layers-20")).sha256);
});

const bytesOf = (elements: OnnxElements) =>
  new Uint8Array(elements.data.buffer, elements.data.byteOffset, elements.data.byteLength);

test.each(["mnist-int8", "mnist-integers", "layers-18", "transformer-20"])(
  "weights of %s.onnx are in the hash of the weights, also quantized, and not in the graph's",
  (name) => {
    const source = readOnnx(onnxFile(name));
    const { nodes, initializers } = source.model.graph;
    const quantized = nodes.filter(({ operator }) => /Linear$|Integer$|^QLinear/.test(operator));
    const ofQuantized = new Set(quantized.flatMap(({ inputs }) => inputs));
    const read = new Set(nodes.flatMap(({ inputs }) => inputs));
    const folder = mkdtempSync(join(tmpdir(), "sqa-graph-hash-"));
    const hashesOf = (file: string) => {
      const { graph, graphSha256 } = readGraphFile(file);
      const module = new GraphModule(graph, { exactGradients: false });
      const weights = weightsSha256(module);
      module.dispose();
      return [graphSha256, weights];
    };
    const before = hashesOf(onnxFile(name));
    const file = readFileSync(onnxFile(name));
    let tried = 0;
    for (const tensor of initializers) {
      const { name: weight } = tensor;
      const elements = source.elements(tensor);
      const isWeight = /float/.test(elements.type) || ofQuantized.has(weight);
      const place = file.indexOf(bytesOf(elements));
      const isOnce = place >= 0 && file.indexOf(bytesOf(elements), place + 1) < 0;
      if (!isWeight || !read.has(weight) || !isOnce || tried >= 12) continue;
      const changed = Buffer.from(file);
      changed[place]! ^= 1;
      const copy = join(folder, "changed.onnx");
      writeFileSync(copy, changed);
      const after = hashesOf(copy);
      expect([weight, after[0] === before[0], after[1] === before[1]]).toEqual([weight, true, false]);
      tried++;
    }
    rmSync(folder, { recursive: true });
    expect(tried).toBeGreaterThan(3);
  },
);
