import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { grad, scope, type Tensor } from "../../../../src/engine/index.js";
import { elementsOf, parseOnnx, parseOnnxTensor } from "../../../../src/files/onnx/index.js";
import { graphNodes } from "../../../../src/models/exported/onnx/nodes.js";
import { tensorOf } from "../../../../src/models/exported/onnx/values.js";
import { noiseOf } from "../fixtures.js";

const { cases } = JSON.parse(
  readFileSync(new URL("../../../golden/onnx-microsoft-cases.json", import.meta.url), "utf8"),
) as { cases: Record<string, { model: string; inputs: string[] }> };

const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64"));

/** The node of a case with its inputs, of which the first is given. */
function nodeOf(name: string) {
  const { model: text, inputs } = cases[name]!;
  const model = parseOnnx(bytes(text), name);
  const world = { opset: 17, mostElements: 2 ** 20, elements: () => ({}) as never, typeOf: () => undefined };
  const { node } = graphNodes(model, world)[0]!;
  const given = tensorOf(elementsOf(parseOnnxTensor(bytes(inputs[0]!), name), name));
  const weights = new Map(model.graph.initializers.map((one) => [one.name, tensorOf(elementsOf(one, name))]));
  const image = model.graph.inputs[0]!.name;
  const values = (x: Tensor) => node.inputs.map((input) => (input === image ? x : weights.get(input)!));
  return { node, given, values };
}

const context = { device: "cpu", noise: noiseOf(1), noiseFree: false, stream: 0 };
const rounding = Object.keys(cases).filter((name) => nodeOf(name).node.gradient === "blocks");

describe("what stands in for the rounding operators of com.microsoft", () => {
  it("is there for all of them", () => {
    expect(rounding.length).toBeGreaterThan(25);
    for (const name of rounding) expect(nodeOf(name).node.standIn, name).toBeDefined();
  });

  it.each(rounding)("is %s but for half a step of the result, and has a gradient", (name) => {
    const { node, given, values } = nodeOf(name);
    scope(() => {
      const wanted = (node.run(values(given), context)[0] as Tensor).toNumbers();
      const seen = given.to("float32").detach().requireGrad();
      const smooth = node.standIn!(values(seen), context);
      // A product with an input that is rounded first: half a step of that, times the weights.
      const step = /dynamic/.test(name) ? 0.2 * Math.max(...wanted.map(Math.abs)) : 0.5001;
      const found = smooth.toNumbers();
      expect(found).toHaveLength(wanted.length);
      for (const [i, value] of found.entries()) expect(Math.abs(value - wanted[i]!)).toBeLessThan(step);
      const [gradient] = grad(smooth.mul(smooth).sum(), [seen]);
      expect(gradient!.toNumbers().some((value) => value !== 0)).toBe(true);
    });
  });
});
