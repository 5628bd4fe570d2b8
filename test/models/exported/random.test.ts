import { describe, expect, it } from "vitest";
import { placeAfter, quantizer, sqa } from "../../../src/defenses/index.js";
import type { Noise } from "../../../src/engine/index.js";
import { grad, scope, type Tensor, tensor } from "../../../src/engine/index.js";
import type { Pt2Argument } from "../../../src/files/index.js";
import { lowerAten } from "../../../src/models/exported/aten/lower-node.js";
import { lowerRandom } from "../../../src/models/exported/aten/random.js";
import { images, load, noiseOf } from "./fixtures.js";

const model = await load("noisy");

function logitsOf(count: number, noise: Noise, noiseFree = false): number[] {
  const built = model.build({ seed: 0 });
  const logits = scope(() => built.classifier({ noiseFree }).logits(images(count), noise).toNumbers());
  built.module.dispose();
  return logits;
}

describe("a randomized model", () => {
  it("is found, with each operator that draws", () => {
    const said = model.warnings.join();
    for (const operator of ["aten.randn_like", "aten.bernoulli", "aten.rand ", "aten.dropout"])
      expect(said).toContain(operator);
    expect(said).toContain("model.eval()");
    expect(model.build({ seed: 0 }).classifier().randomized).toBe(true);
  });

  it("draws by the key: the same for the same, others for other draws", () => {
    const [one, again, other] = [
      logitsOf(3, noiseOf(3)),
      logitsOf(3, noiseOf(3)),
      logitsOf(3, noiseOf(3, { draw: 1 })),
    ];
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it("gives an image the same noise in any batch", () => {
    const [three, one] = [logitsOf(3, noiseOf(3)), logitsOf(1, noiseOf(1))];
    for (const [i, value] of one.entries()) expect(value).toBeCloseTo(three[i]!, 5);
  });

  it("has fresh noise for another image id", () => {
    expect(logitsOf(1, noiseOf(1, { first: 5 }))).not.toEqual(logitsOf(1, noiseOf(1)));
  });

  it("has a surrogate without noise, which draws nothing and is near the mean of the draws", () => {
    const free = logitsOf(3, noiseOf(3), true);
    expect(logitsOf(3, noiseOf(3, { draw: 4 }), true)).toEqual(free);
    const draws = Array.from({ length: 300 }, (_, draw) => logitsOf(3, noiseOf(3, { draw })));
    const means = free.map((_, i) => draws.reduce((sum, one) => sum + one[i]!, 0) / draws.length);
    for (const [i, value] of free.entries()) expect(means[i]).toBeCloseTo(value, 1);
    expect(Object.keys(model.build({ seed: 0 }).classifier().surrogates!)).toContain("noise-free");
  });
});

describe("a defense in an exported model", () => {
  it("follows any node by its name, and quantizes what it gives", async () => {
    const plain = await load("plain");
    const built = plain.build({ seed: 0, defenses: [sqa({ layers: { relu: 1 } })] });
    const undefended = plain.build({ seed: 0 });
    const [random, exact] = [built, undefended].map(({ module }) =>
      scope(() => module.apply(images(3), { training: false, noise: noiseOf(3) }).toNumbers()),
    );
    expect(random).not.toEqual(exact);
    expect(built.classifier().randomized).toBe(true);
    const names = built.module.namedModules().map(([name]) => name);
    expect(names).toEqual(["conv2d", "relu", "mean", "linear"]);
    expect(() => placeAfter(undefended.module, { rely: quantizer() })).toThrow(/did you mean "relu"/);
  });

  it("stands in the paper's places where it names none", async () => {
    const model = await load("layers");
    expect(model.activations).toEqual({ "first-layer": ["relu6_"], "second-layer": ["hardswish_"] });
    expect(model.build({ seed: 0, defenses: [sqa()] }).classifier().randomized).toBe(true);
  });

  it("passes gradients on to the weights before it", async () => {
    const { module } = (await load("layers")).build({ seed: 0, defenses: [sqa()] });
    scope(() => {
      const logits = module.apply(images(3), { training: true, noise: noiseOf(3) });
      const parameters = [...module.parameters().values()];
      const gradients = grad(logits.sum(), parameters, { unused: "zeros" });
      expect(gradients.filter((one) => one.abs().sum().item() > 0).length).toBeGreaterThan(
        parameters.length / 2,
      );
    });
    module.dispose();
  });
});

describe("a distribution of tensors", () => {
  const [none, half, far]: Pt2Argument[] = [0, 0.5, 3].map((value) => ({
    kind: "number",
    value,
    isFloat: true,
  }));
  const context = { device: "cpu", noise: noiseOf(2), noiseFree: false, stream: 0 };
  const value = (name: string): Pt2Argument => ({ kind: "tensor", name });

  function lowered(target: string, given: Readonly<Record<string, Pt2Argument>>) {
    const [name, overload = ""] = target.split(".") as [string, string?];
    const inputs = Object.entries(given).map(([name, value]) => ({ name, value }));
    const node = { name: "node", target: `torch.ops.aten.${target}`, inputs, outputs: [value("made")] };
    return lowerRandom(node, { name, overload }, () => true)!;
  }

  it.each([
    ["normal.Tensor_float", { mean: value("a"), std: none! }],
    ["normal.float_Tensor", { mean: far!, std: value("zeros") }],
    ["normal.Tensor_Tensor", { mean: value("a"), std: value("zeros") }],
  ])("has its shape and mean: %s", (target, given) => {
    const node = lowered(target, given);
    scope(() => {
      const values = { a: tensor([1, 2, 3, 4], [2, 2]), zeros: tensor([0, 0, 0, 0], [2, 2]) };
      const tensors = node.inputs.map((name) => values[name as keyof typeof values]);
      const [made] = node.run(tensors, context) as readonly Tensor[];
      const isOfNumber = given.mean !== far;
      expect([made!.shape, made!.toNumbers()]).toEqual([[2, 2], isOfNumber ? [1, 2, 3, 4] : [3, 3, 3, 3]]);
      expect([node.gradient, node.random, node.shapeOnly]).toEqual(["blocks", true, undefined]);
      expect(node.standIn!(tensors, context).shape).toEqual([2, 2]);
    });
  });

  it("is of a size where it is of numbers", () => {
    const size: Pt2Argument = { kind: "numbers", values: [2, 300], isFloat: false };
    const node = lowered("normal.float_float", { mean: far!, std: half!, size });
    scope(() => {
      const [made] = node.run([], context) as readonly Tensor[];
      expect(made!.shape).toEqual([2, 300]);
      expect(made!.meanDim([0, 1]).item()).toBeCloseTo(3, 0);
    });
  });

  it("is that of the probabilities beside the tensor that is filled", () => {
    const node = lowered("bernoulli_.Tensor", { self: value("self"), p: value("p") });
    scope(() => {
      const tensors = [tensor([0, 0, 0, 0], [2, 2]), tensor([1, 0], [2])];
      const [made] = node.run(tensors, context) as readonly Tensor[];
      expect(made!.toNumbers()).toEqual([1, 0, 1, 0]);
      expect(node.standIn!(tensors, context).toNumbers()).toEqual([1, 0, 1, 0]);
    });
  });

  it("is none of random slopes outside of training", () => {
    const given: Pt2Argument = { kind: "number", value: 0.25, isFloat: true };
    const inputs = Object.entries({ self: value("x"), lower: given, upper: given }).map(([name, value]) => ({
      name,
      value,
    }));
    const node = { name: "node", target: "torch.ops.aten.rrelu.default", inputs, outputs: [value("made")] };
    const target = { name: "rrelu", overload: "" };
    expect(lowerRandom(node, target, () => true)).toBeUndefined();
    scope(() => {
      const [made] = lowerAten(node, target, () => undefined)!.run([tensor([-4, 2], [2])], context);
      expect((made as Tensor).toNumbers()).toEqual([-1, 2]);
    });
  });
});
