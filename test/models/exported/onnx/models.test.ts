import { describe, expect, it } from "vitest";
import { scope } from "../../../../src/engine/index.js";
import { evaluate, fgsm, mnist, pgd } from "../../../../src/index.js";
import { difference, images, noiseOf, numbers, passOf } from "../fixtures.js";
import { expectedOnnx, loadOnnx } from "./fixtures.js";

/** Parts of the largest number by which results may differ from PyTorch's: exporters change operators. */
const tolerance = 1e-4;

describe("a model in ONNX's format", () => {
  it.each(["layers-13", "layers-18", "layers-20", "external", "transformer-17", "transformer-20"])(
    "%s has PyTorch's logits and gradients",
    async (name) => {
      const model = await loadOnnx(name);
      expect(model.notes[0]).toMatch(/ONNX, operator set (13|17|18|20), of pytorch/);
      const { logits, gradient } = passOf(model);
      expect(difference(logits, numbers(expectedOnnx[name]!.logits))).toBeLessThan(tolerance);
      expect(difference(gradient, numbers(expectedOnnx[name]!.gradient))).toBeLessThan(tolerance);
    },
  );

  it.each(["layers-13", "transformer-20"])(
    "%s has them with the operators that ONNX Runtime's optimizer writes",
    async (name) => {
      const { logits, gradient } = passOf(await loadOnnx(`${name}-optimized`));
      expect(difference(logits, numbers(expectedOnnx[name]!.logits))).toBeLessThan(tolerance);
      expect(difference(gradient, numbers(expectedOnnx[name]!.gradient))).toBeLessThan(tolerance);
    },
  );

  it("gives an image the same logits in any batch, also where its file fixes the batch", async () => {
    for (const name of ["layers-20", "transformer-17", "reshaped", "fixed"]) {
      const { module } = (await loadOnnx(name)).build({ seed: 0 });
      const logits = (count: number) =>
        scope(() => module.apply(images(count), { training: false, noise: noiseOf(count) }).toNumbers());
      const [five, one] = [logits(5), logits(1)];
      expect(five).toHaveLength(25);
      for (const [i, value] of one.entries()) expect(five[i]).toBeCloseTo(value, 5);
      module.dispose();
    }
  });

  it("says that its file takes so many images at a time", async () => {
    expect((await loadOnnx("fixed")).notes.join()).toContain("exactly 2 images at a time");
    for (const name of ["plain", "reshaped"]) {
      expect((await loadOnnx(name)).notes.join()).not.toContain("at a time");
    }
  });

  it("has its weights by their names", async () => {
    const { module } = (await loadOnnx("layers-20")).build({ seed: 0 });
    expect([...module.parameters().keys()]).toEqual(expect.arrayContaining(["head.weight", "head.bias"]));
    module.dispose();
  });
});

describe("conventions of exporters", () => {
  it("are found: bytes with the channels last, the softmax and the class at the end", async () => {
    const model = await loadOnnx("bytes");
    expect(model.inputShape).toEqual([3, 8, 8]);
    const notes = model.notes.join("\n");
    expect(notes).toContain("channels last");
    expect(notes).toContain("pixels as uint8");
    expect(notes).toContain("ArgMax) is taken off");
    expect(notes).toContain("Softmax, is taken off");
    // The same weights as those of the plain model, which takes floats with the channels first.
    const { logits } = passOf(model);
    expect(difference(logits, numbers(expectedOnnx.plain!.logits))).toBeLessThan(1e-5);
  });

  it("are found: floats of 0 to 255", async () => {
    const model = await loadOnnx("mean");
    expect(model.notes.join()).toContain("made for pixels of 0 to 255");
    expect(difference(passOf(model).logits, numbers(expectedOnnx.mean!.logits))).toBeLessThan(1e-5);
  });

  it("are found: normalization within the model, a warning where it would be done twice", async () => {
    const found = "it normalizes its images itself (Sub, Div)";
    const { notes, warnings } = await loadOnnx("layers-20");
    expect([notes.includes(found), warnings.join()]).toEqual([true, expect.not.stringContaining(found)]);
    const normalize = { mean: [0.4, 0.4, 0.4], std: [0.25, 0.25, 0.25] };
    const twice = `${found}: without --normalize it sees what it was trained on`;
    expect((await loadOnnx("layers-20", { normalize })).warnings).toContain(twice);
    for (const plain of ["plain", "bytes", "rounded"]) {
      expect((await loadOnnx(plain)).notes.join(), plain).not.toContain("normalizes");
    }
  });
});

describe("blocked gradients in ONNX", () => {
  it.each(["rounded", "cast"])("of %s pass as if by the identity, or are left as they are", async (name) => {
    const model = await loadOnnx(name);
    expect(model.warnings.join()).toMatch(/gradients blocked by (Round|Cast)/);
    const { logits, gradient } = passOf(model);
    expect(difference(logits, numbers(expectedOnnx[name]!.logits))).toBeLessThan(1e-5);
    expect(difference(gradient, numbers(expectedOnnx[name]!.gradient))).toBeLessThan(1e-5);
    expect((await loadOnnx(name, { exactGradients: true })).warnings.join()).toMatch(/zero|no gradient/);
  });

  it("are found with the noise of its random operators, which is keyed", async () => {
    const model = await loadOnnx("noisy");
    expect(model.warnings.join()).toContain("RandomNormalLike");
    const logits = (draw: number) => passOf(model, 3, noiseOf(3, { draw })).logits;
    expect([...logits(0)]).toEqual([...logits(0)]);
    expect([...logits(0)]).not.toEqual([...logits(1)]);
  });
});

describe("a model that ONNX Runtime quantized to 8 bits", () => {
  const labels = mnist().test.labels.slice(0, 200);
  const correct = (name: string) => {
    const logits = numbers(expectedOnnx[name]!.logits);
    return Array.from({ length: 200 }, (_, i) => {
      const own = [...logits.subarray(10 * i, 10 * i + 10)];
      return own.indexOf(Math.max(...own)) === labels[i] ? 1 : 0;
    });
  };
  const attacked = async (name: string, exactGradients = false) => {
    const attacks = [fgsm({ epsilon: 0.1 }), pgd({ epsilon: 0.1, stepSize: 0.02, steps: 10 })];
    const model = await loadOnnx(name, { exactGradients });
    return evaluate(model, mnist().test, { attacks, limit: 200, batchSize: 100 });
  };

  it("answers as ONNX Runtime does, image for image", async () => {
    for (const name of ["mnist", "mnist-int8", "mnist-integers"]) {
      const { clean } = await evaluate(await loadOnnx(name), mnist().test, { attacks: [], limit: 200 });
      const differing = correct(name).filter((value, i) => value !== clean.perImage[i]);
      // A step of 8 bits may fall to the other side by the order of a sum.
      expect(differing.length).toBeLessThanOrEqual(name === "mnist" ? 0 : 1);
    }
  });

  it.each(["mnist-int8", "mnist-integers"])(
    "as %s falls to attacks by the straight-through gradient, and seems robust without it",
    async (name) => {
      const [whole, straight, exact] = [
        await attacked("mnist"),
        await attacked(name),
        await attacked(name, true),
      ];
      const robust = (result: typeof whole) => result.attacks[1]!.robustAccuracy;
      expect(Math.abs(robust(straight) - robust(whole))).toBeLessThan(0.06);
      expect(robust(exact)).toBeGreaterThan(robust(straight) + 0.3);
    },
  );
});
