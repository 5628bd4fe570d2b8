import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { liveTensors, scope } from "../../../src/engine/index.js";
import { evaluate, fgsm, mnist, modelFromFile, pgd } from "../../../src/index.js";
import { difference, expected, images, load, noiseOf, numbers, passOf } from "./fixtures.js";

/** Parts of the largest number by which results may differ from PyTorch's: other processors sum otherwise. */
const tolerance = 1e-5;

describe("an exported model", () => {
  it.each(["plain", "rounded"])("%s of PyTorch 2.14 has its logits and gradients", async (name) => {
    const place = new URL("../../fixtures/exported/torch-2.14/", import.meta.url);
    const wanted = JSON.parse(readFileSync(new URL("expected.json", place), "utf8")) as typeof expected;
    const model = await modelFromFile(fileURLToPath(new URL(`${name}.pt2`, place)));
    expect(model.notes[0]).toBe("exported model: .pt2, schema 8.20, of PyTorch 2.14.1+cu130");
    const { logits, gradient } = passOf(model);
    expect(difference(logits, numbers(wanted[name]!.logits!))).toBeLessThan(tolerance);
    const straight = wanted[name]!.straightThrough ?? wanted[name]!.gradient!;
    expect(difference(gradient, numbers(straight))).toBeLessThan(tolerance);
  });

  it.each([
    ...["layers", "layers-static", "decomposed", "transformer", "plain", "detached"],
    ...["spelled", "spelled-decomposed"],
  ])("%s has PyTorch's logits and gradients", async (name) => {
    const { logits, gradient } = passOf(await load(name));
    expect(difference(logits, numbers(expected[name]!.logits!))).toBeLessThan(tolerance);
    expect(difference(gradient, numbers(expected[name]!.gradient!))).toBeLessThan(tolerance);
  });

  it("has PyTorch's numbers in float16 and bfloat16, but for what these round", async () => {
    const { logits, gradient } = passOf(await load("half"));
    expect(difference(logits, numbers(expected.half!.logits!))).toBeLessThan(2e-2);
    expect(difference(gradient, numbers(expected.half!.gradient!))).toBeLessThan(2e-2);
  });

  it("of float16 has logits of float32, and a warning that they tie", async () => {
    const model = await load("float16");
    expect(model.warnings).toEqual([expect.stringContaining("it computes in float16, in whole or part")]);
    const { logits, gradient } = passOf(model);
    expect(difference(logits, numbers(expected.float16!.logits!))).toBeLessThan(2e-3);
    expect(difference(gradient, numbers(expected.float16!.gradient!))).toBeLessThan(2e-2);
    const { module } = model.build({ seed: 0 });
    const given = { training: true, noise: noiseOf(3) };
    expect(scope(() => module.apply(images(3), given).dtype)).toBe("float32");
    module.dispose();
    const both = "it computes in float16 and bfloat16, in whole or part";
    expect((await load("half")).warnings).toEqual([expect.stringContaining(both)]);
    expect((await load("plain")).warnings).toEqual([]);
  });

  it("takes any number of images where its batch is fixed, and gives each the same", async () => {
    const model = await load("layers-static");
    const { module } = model.build({ seed: 0 });
    const logits = (count: number) =>
      scope(() => module.apply(images(count), { training: false, noise: noiseOf(count) }).toNumbers());
    const [seven, three, one, none] = [logits(7), logits(3), logits(1), logits(0)];
    expect([seven.length, none.length]).toEqual([35, 0]);
    for (const [i, value] of three.entries()) expect(seven[i]).toBeCloseTo(value, 5);
    for (const [i, value] of one.entries()) expect(three[i]).toBeCloseTo(value, 5);
    module.dispose();
  });

  it("frees all but its logits", async () => {
    const { module } = (await load("transformer")).build({ seed: 0 });
    const given = images(3);
    const noise = noiseOf(3);
    const before = liveTensors();
    const logits = scope(() => module.apply(given, { training: false, noise }));
    expect(liveTensors().tensors - before.tensors).toBe(1);
    for (const one of [logits, given, noise.imageIds]) one.dispose();
    module.dispose();
  });

  it("has its weights by their names, the tied ones once, and keeps their gradients", async () => {
    const { module } = (await load("transformer")).build({ seed: 0 });
    const names = [...module.parameters().keys()];
    expect(names).toContain("qkv.weight");
    expect(names.filter((name) => /^(up|again)\.weight$/.test(name))).toHaveLength(1);
    expect(module.state().get("turned")!.shape).toEqual([16, 16]);
    module.dispose();
  });
});

describe("attacks on an exported model", () => {
  it("are PyTorch's image for image: clean, FGSM, PGD-20 without random start", async () => {
    const model = await load("mnist");
    const attacks = [
      fgsm({ epsilon: 0.1 }),
      pgd({ epsilon: 0.1, stepSize: 0.01, steps: 20, randomStart: false }),
    ];
    const split = mnist().test;
    const result = await evaluate(model, split, { attacks, limit: 200, batchSize: 100 });
    const labels = split.labels.slice(0, 200);
    const correct = (name: string) => {
      const { predictions } = expected.mnist![name] as unknown as { predictions: number[] };
      return predictions.map((prediction, i) => (prediction === labels[i] ? 1 : 0));
    };
    expect([...result.clean.perImage]).toEqual(correct("clean"));
    expect([...result.attacks[0]!.perImage]).toEqual(correct("fgsm"));
    expect([...result.attacks[1]!.perImage]).toEqual(correct("pgd"));
    expect(result.attacks[1]!.robustAccuracy).toBeLessThan(result.clean.accuracy);
  });
});
