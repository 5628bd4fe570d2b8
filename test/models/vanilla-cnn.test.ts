import { expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { sqa } from "../../src/defenses/index.js";
import { imageIdRange, tensor } from "../../src/engine/index.js";
import { large, models, small } from "../../src/models/index.js";
import { parameterCount } from "../../src/nn/index.js";
import { referenceLogits } from "./reference-cnn.js";

const noise = { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, 2) };
const images = tensor(
  Float32Array.from({ length: 2 * 784 }, (_, i) => Math.abs(Math.sin(i * 0.37))),
  [2, 1, 28, 28],
);

test("have the parameters that the design gives, under PyTorch's names", () => {
  const count = (c: number) =>
    c * 9 +
    c +
    (2 * c * c * 9 + 2 * c) +
    (4 * c * 2 * c * 9 + 4 * c) +
    (8 * c * 36 * c + 8 * c) +
    (10 * 8 * c + 10);
  expect(count(16)).toBe(98_442);
  expect(parameterCount(small().build({ seed: 0 }).module)).toBe(count(16));
  expect(parameterCount(large().build({ seed: 0 }).module)).toBe(count(64));
  const names = ["conv1", "conv2", "conv3", "fc1", "fc2"].flatMap((name) => [
    `${name}.weight`,
    `${name}.bias`,
  ]);
  expect([
    ...small()
      .build({ seed: 0, defenses: [sqa()] })
      .module.state()
      .keys(),
  ]).toEqual(names);
});

test("small equals a direct evaluation in float64", () => {
  const model = small().build({ seed: 3, defenses: [sqa()] });
  const state = new Map([...model.module.state()].map(([name, value]) => [name, value.toNumbers()]));
  const pixels = images.toNumbers();
  const expected = [0, 1].flatMap((n) => referenceLogits(state, pixels.slice(n * 784, n * 784 + 784), 16));
  const noiseFree = model.classifier({ noiseFree: true });
  expect(noiseFree.randomized).toBe(false);
  const logits = noiseFree.logits(images, noise).toNumbers();
  for (const [i, value] of logits.entries()) expect(value).toBeCloseTo(expected[i]!, 5);
  expect(small().build({ seed: 3 }).classifier().logits(images, noise).toNumbers()).toEqual(logits);
  expect(model.classifier().randomized).toBe(true);
});

test("an unknown model suggests the nearest", () => {
  expect(() => models.parse("smal")).toThrow('unknown model "smal"; did you mean "small"?');
});
