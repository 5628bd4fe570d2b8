import { describe, expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { sqa } from "../../src/defenses/index.js";
import { grad, imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import { compact, small } from "../../src/models/index.js";
import { meanCrossEntropy, parameterCount } from "../../src/nn/index.js";
import { referenceLogits } from "./reference-cnn.js";

const noise = { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, 2) };
const images = tensor(
  Float32Array.from({ length: 2 * 784 }, (_, i) => Math.abs(Math.sin(i * 0.37))),
  [2, 1, 28, 28],
);
const labels = [3, 8];

const numbers = (state: ReadonlyMap<string, Tensor>) =>
  new Map([...state].map(([name, value]) => [name, value.detach().contiguous().toNumbers()]));

const logitsOf = (state: ReadonlyMap<string, number[]>, pixels: readonly number[]) =>
  labels.map((_, n) => referenceLogits(state, pixels.slice(784 * n, 784 * (n + 1)), 8));

function meanLoss(state: ReadonlyMap<string, number[]>, pixels: readonly number[]): number {
  const losses = logitsOf(state, pixels).map(
    (logits, n) => Math.log(logits.reduce((sum, value) => sum + Math.exp(value), 0)) - logits[labels[n]!]!,
  );
  return (losses[0]! + losses[1]!) / 2;
}

/** The slope of `loss` along one entry of `values`, by central differences in float64. */
function slope(values: number[], at: number, loss: () => number): number {
  const [before, h] = [values[at]!, 1e-5];
  const [high, low] = [before + h, before - h].map((value) => {
    values[at] = value;
    return loss();
  });
  values[at] = before;
  return (high! - low!) / (2 * h);
}

test("has half of SMALL's filters in each layer, so a quarter of its work, under the same names", () => {
  const { module } = compact().build({ seed: 0, defenses: [sqa()] });
  const halved = [...small().build({ seed: 0 }).module.state()].map(([name, { shape }]) => {
    const [out, ...rest] = shape;
    const [from, ...kernel] = rest;
    const inner = from === undefined ? [] : [name.startsWith("conv1") ? from : from / 2, ...kernel];
    return [name, [name.startsWith("fc2") ? out! : out! / 2, ...inner]];
  });
  expect([...module.state()].map(([name, { shape }]) => [name, [...shape]])).toEqual(halved);
  expect(parameterCount(module)).toBe(8 * 10 + 16 * (8 * 9 + 1) + 32 * (16 * 9 + 1) + 64 * 289 + 10 * 65);
  const names = ["conv1", "conv2", "conv3", "fc1", "fc2"].flatMap((name) => [
    `${name}.weight`,
    `${name}.bias`,
  ]);
  expect([...module.state().keys()]).toEqual(names);
});

describe("in float64, evaluated directly", () => {
  const model = compact({ threshold: false }).build({ seed: 3, defenses: [sqa()] });
  const noiseFree = model.classifier({ noiseFree: true });
  const state = numbers(model.module.state());
  const pixels = images.toNumbers();

  test("has the same logits", () => {
    const logits = noiseFree.logits(images, noise).toNumbers();
    const expected = logitsOf(state, pixels).flat();
    for (const [i, value] of logits.entries()) expect(value).toBeCloseTo(expected[i]!, 5);
    expect([noiseFree.randomized, model.classifier().randomized]).toEqual([false, true]);
  });

  test("has the same gradients, of the images and of each parameter", () => {
    const input = images.detach().requireGrad();
    const parameters = model.module.parameters();
    const loss = meanCrossEntropy(
      noiseFree.logits(input, noise),
      tensor(Int32Array.from(labels), [2], "int64"),
    );
    expect(loss.item()).toBeCloseTo(meanLoss(state, pixels), 5);
    const gradients = grad(loss, [input, ...parameters.values()]);
    const values = [pixels, ...[...parameters.keys()].map((name) => state.get(name)!)];
    for (const [i, gradient] of gradients.entries()) {
      const of = gradient.contiguous().toNumbers();
      const largest = of.reduce((best, value, at) => (Math.abs(value) > Math.abs(of[best]!) ? at : best), 0);
      for (const at of [largest, Math.floor(of.length / 3), of.length - 1]) {
        expect(of[at]).toBeCloseTo(
          slope(values[i]!, at, () => meanLoss(state, pixels)),
          5,
        );
      }
    }
  });
});

test("sees black and white pixels as they were under any perturbation of less than 0.4", () => {
  const model = compact().build({ seed: 3 }).classifier();
  const still = images.round();
  const moved = still.sub(images.sub(0.5).mul(0.79)).clamp(0, 1);
  expect(moved.sub(still).abs().amax().item()).toBeGreaterThan(0.3);
  expect(model.logits(moved, noise).toNumbers()).toEqual(model.logits(still, noise).toNumbers());
  const plain = compact({ threshold: false }).build({ seed: 3 }).classifier();
  expect(plain.logits(still, noise).toNumbers()).toEqual(model.logits(still, noise).toNumbers());
});
