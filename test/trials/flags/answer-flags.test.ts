import { describe, expect, it } from "vitest";
import { deriveSeed } from "../../../src/base/index.js";
import {
  countedNormal,
  countedUniform,
  imageIdRange,
  type Noise,
  operators as ops,
  type Tensor,
  tensor,
} from "../../../src/engine/index.js";
import type { Classifier } from "../../../src/nn/index.js";
import { answerFlags, flagsOf } from "../../../src/trials/index.js";
import { linearModel } from "../../evaluation/audit/tiny-audit.js";

const shape = [1, 4, 4] as const;
const base = linearModel(shape, 3);
const seed = deriveSeed(0, "flags");
const imageIds = imageIdRange(0, 20);
const images = countedUniform({ seed, draw: 0, imageIds }, 0, shape);
const labels = base.logits(images, { seed, draw: 0, imageIds }).argmax(1);
const batch = { images, labels, imageIds };

/** Kinds of the flags of a model that changes the logits of a linear one. */
const kindsOf = (
  change: (logits: Tensor, images: Tensor, noise: Noise) => Tensor,
  randomized = false,
  batchSize = 50,
) => {
  const model: Classifier = {
    ...base,
    randomized,
    logits: (shown, noise) => change(base.logits(shown, noise), shown, noise),
  };
  return answerFlags(model, batch, seed, batchSize).map(({ kind }) => kind);
};
const noiseOf = (noise: Noise) => countedNormal(noise, 2 ** 20, [3]);

describe("answers", () => {
  it("of the image and the draw alone have no flags", () => {
    expect(kindsOf((logits) => logits)).toEqual([]);
    expect(kindsOf((logits) => logits.add(1e4))).toEqual([]);
    expect(kindsOf((logits) => logits.mul(1e-10))).toEqual([]);
    expect(kindsOf((logits, _, noise) => logits.add(noiseOf(noise)), true)).toEqual([]);
  });

  it("that change from call to call are hidden randomness, not another batch's", () => {
    let calls = 0;
    const drifting = (logits: Tensor) =>
      logits.add(ops.ones([3, 3]).slice(1, 0, 3).select(0, 0).mul(calls++));
    for (const randomized of [false, true])
      expect(kindsOf(drifting, randomized)).toEqual(["hidden-randomness"]);
    const uncounted = (logits: Tensor, _: Tensor, noise: Noise) =>
      logits.add(noiseOf({ ...noise, draw: calls++ }));
    expect(kindsOf(uncounted, true)).toEqual(["hidden-randomness"]);
  });

  it("of a model that says it is deterministic follow neither draw nor number", () => {
    const noisy = (logits: Tensor, _: Tensor, noise: Noise) => logits.add(noiseOf(noise));
    expect(kindsOf(noisy)).toEqual(["hidden-randomness"]);
    const numbered = (logits: Tensor, _: Tensor, noise: Noise) =>
      logits.add(noise.imageIds.to("float32").unsqueeze(1).mul(logits.argmax(1, true).eq(0)));
    expect(kindsOf(numbered)).toEqual(["number-dependent"]);
  });

  it("are examined behind a constant, and beside classes that are never given", () => {
    const noisy = (logits: Tensor, _: Tensor, noise: Noise) => logits.add(noiseOf(noise)).add(1e4);
    expect(kindsOf(noisy)).toEqual(["hidden-randomness"]);
    const wide: Classifier = {
      ...base,
      classes: 5,
      logits: (shown, noise) =>
        ops.cat([base.logits(shown, noise).add(noiseOf(noise)), ops.ones([shown.shape[0]!, 2]).mul(-1e9)], 1),
    };
    expect(answerFlags(wide, batch, seed, 50).map(({ kind }) => kind)).toEqual(["hidden-randomness"]);
  });

  it("are the same where a gradient is asked for", () => {
    const watchful = (logits: Tensor, shown: Tensor) => (shown.requiresGrad ? logits.mul(2) : logits);
    expect(kindsOf(watchful)).toEqual(["gradient-dependent"]);
    const passing: Classifier = {
      ...base,
      pass: (shown, noise) => ({ logits: base.logits(shown, noise).neg(), imageGradient: () => shown }),
    };
    expect(answerFlags(passing, batch, seed, 50).map(({ kind }) => kind)).toEqual(["gradient-dependent"]);
  });

  it("differ where the images do", () => {
    const constant: Classifier = {
      ...base,
      logits: (shown, noise) => base.logits(shown.mul(0).add(images.slice(0, 0, 1)), noise),
    };
    const kinds = (model: Classifier, of = batch) => flagsOf(model, of, seed, 50).map(({ kind }) => kind);
    expect(flagsOf(constant, batch, seed, 50)[0]!.message).toMatch(
      /^the first 20 images all have the same logits/,
    );
    expect(kinds(constant, { ...batch, labels: labels.mul(0) })).toEqual([]);
    const biased: Classifier = {
      ...base,
      logits: (shown, noise) => base.logits(shown, noise).add(tensor([0, 30, 0], [3])),
    };
    expect(flagsOf(biased, batch, seed, 50)[0]!.message).toContain(
      "the first 20 images are all given class 1, though their labels differ",
    );
    expect(kinds(biased, { ...batch, labels: labels.mul(0) })).toEqual([]);
    expect(kinds(base)).toEqual([]);
  });
});
