import { describe, expect, test } from "vitest";
import { Victim } from "../../src/attacks/contract/victim.js";
import { crossEntropy } from "../../src/nn/index.js";
import { linear, linearContext, linearImages, linearLabels } from "./exact-distances.js";

const victim = new Victim(linear, linearContext, "mine");
const shape = linearImages.shape.slice(1);

describe("mistakes of an attack's writer are named", () => {
  test.each<[string, () => unknown, string]>([
    [
      "no loss",
      () => victim.gradient(linearImages, undefined as never),
      "loss must be a function of logits, not undefined",
    ],
    [
      "no losses",
      () => victim.gradient(linearImages, () => undefined as never),
      "the losses that loss returns must be a tensor (N), not undefined",
    ],
    [
      "a mean in place of losses",
      () => victim.gradient(linearImages, (logits) => crossEntropy(logits, linearLabels).mean()),
      `the losses that loss returns must be one for each image, of shape [${linearImages.shape[0]}], not []`,
    ],
    [
      "logits in place of losses",
      () => victim.gradient(linearImages, (logits) => logits.mul(2)),
      "the losses that loss returns must be one for each image",
    ],
    [
      "no labels",
      () => victim.fooled(linearImages, undefined as never),
      "labels must be a tensor, int64 (N), not undefined",
    ],
    [
      "a name in place of a loss",
      () => victim.meanLoss(linearImages, linearLabels, "dlr" as never, 1),
      'loss must be a function of logits, not "dlr"',
    ],
    [
      "no draw",
      () => victim.meanLoss(linearImages, linearLabels, crossEntropy, 0),
      "draws must be a whole number of at least 1, not 0",
    ],
    ["a negative side", () => victim.normal([-1]), "shape must hold integers >= 0, not [-1]"],
    ["a shape that is none", () => victim.uniform("x" as never), "shape must be a list of integers >= 0"],
    ["a bound that is none", () => victim.uniform(shape, Number.NaN), "low must be a finite number, not NaN"],
  ])("%s", (_, call, message) => {
    expect(call).toThrow(message);
  });
});
