import { describe, expect, it } from "vitest";
import { placeAfter, quantizer, sqa } from "../../../src/defenses/index.js";
import type { Noise } from "../../../src/engine/index.js";
import { grad, scope } from "../../../src/engine/index.js";
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
