// A step reads what differs from step to step out of tensors. The reference makes the same steps by plain
// numbers.

import { describe, expect, test } from "vitest";
import { Victim } from "../../src/attacks/index.js";
import { deriveSeed, permutation, wordStream } from "../../src/base/index.js";
import { imagesOf } from "../../src/datasets/index.js";
import {
  grad,
  noGrad,
  operators as ops,
  scope,
  type Tensor,
  tensor,
  versions,
} from "../../src/engine/index.js";
import type { Model } from "../../src/models/index.js";
import { meanCrossEntropy } from "../../src/nn/index.js";
import { averagingDecay } from "../../src/training/averaging.js";
import {
  type TrainConfig,
  type TrainConfigInput,
  TrainingSession,
  trainConfig,
} from "../../src/training/index.js";

const count = 20;
const batchSize = 8;
const word = wordStream(1);
const split = {
  images: Uint8Array.from({ length: count * 784 }, () => word() % 256),
  labels: Uint8Array.from({ length: count }, (_, i) => i % 10),
  count,
};
const classes = Array.from({ length: 10 }, (_, i) => String(i));
const data = imagesOf({
  images: split.images,
  labels: split.labels,
  shape: [1, 28, 28],
  classes,
  name: "noise",
});

const rate = 0.01;
const base: TrainConfigInput = {
  model: "small",
  data,
  defenses: ["sqa"],
  method: "standard",
  batchSize,
  schedule: `constant(peak=${rate})`,
  validationAttacks: [],
};

/** Five steps: an epoch of two batches and a smaller one, and the beginning of the next. */
const steps = 5;

function images(positions: Int32Array): { images: Tensor; labels: Tensor; imageIds: Tensor } {
  const imageIds = tensor(positions, [positions.length], "int64");
  const pixels = tensor(split.images, [count, 1, 28, 28]).indexSelect(0, imageIds).to("float32").div(255);
  return {
    images: pixels,
    labels: tensor(split.labels, [count], "int64").indexSelect(0, imageIds),
    imageIds,
  };
}

/** Gradients of a step, and its loss. */
function gradientsByNumbers(
  config: TrainConfig,
  model: Model,
  step: number,
): { loss: number; gradients: Tensor[] } {
  const seed = deriveSeed(config.seed, "training");
  const stepsPerEpoch = Math.ceil(count / batchSize);
  const order = permutation(count, deriveSeed(seed, "order", Math.floor(step / stepsPerEpoch)));
  const first = (step % stepsPerEpoch) * batchSize;
  const batch = images(order.slice(first, first + batchSize));
  const { imageIds, labels } = batch;
  const augment = config.augmentation.augment;
  const varied = { seed: deriveSeed(seed, "augmentation"), draw: step, imageIds };
  const clean = augment === undefined ? batch.images : augment(batch.images, varied);
  const parameters = [...model.module.parameters().values()];
  const { precision, cleanWeight } = config;
  const backward = (inputs: Tensor, draw: number) => {
    const noise = { seed: deriveSeed(seed, "noise"), draw, imageIds };
    const logits = model.module.apply(inputs, { training: true, noise, precision });
    const loss = meanCrossEntropy(logits.to("float32"), labels, config.labelSmoothing);
    const wanted = inputs.requiresGrad ? [inputs, ...parameters] : parameters;
    return { loss: loss.item(), gradients: grad(loss, wanted, { unused: "zeros" }) };
  };
  const { method } = config;
  const context = { seed: deriveSeed(seed, "perturbation", step), imageIds };
  const victim = new Victim(model.classifier({ precision }), context, method.name);
  const perturb = () =>
    method.perturb === undefined ? clean : noGrad(() => method.perturb!(victim, clean, labels));
  if (cleanWeight === 0) return backward(perturb(), 2 * step);
  let own: ReturnType<typeof backward>;
  let perturbed: Tensor;
  // Pruned outside of training alone, where attacks are made.
  if (method.fromCleanGradient === undefined || config.defenses.some(({ name }) => name === "sap")) {
    perturbed = perturb();
    own = backward(clean, 2 * step + 1);
  } else {
    const { loss, gradients } = backward(clean.detach().requireGrad(), 2 * step + 1);
    own = { loss, gradients: gradients.slice(1) };
    perturbed = noGrad(() => method.fromCleanGradient!(clean, gradients[0]!));
  }
  const other = backward(perturbed, 2 * step);
  return {
    loss: (1 - cleanWeight) * other.loss + cleanWeight * own.loss,
    gradients: other.gradients.map((g, i) => g.mul(1 - cleanWeight).add(own.gradients[i]!, cleanWeight)),
  };
}

/** Weights after the steps, and their losses; `update` moves them by gradients, step by step from 1. */
function byNumbers(
  given: TrainConfigInput,
  update: (values: Tensor[]) => (gradients: Tensor[], t: number) => void,
) {
  const config = trainConfig(given);
  const build = () => config.model.build(config);
  const model = build();
  const values = [...model.module.parameters().values()];
  const average = build();
  const move = update(values);
  const losses = Array.from({ length: steps }, (_, step) =>
    scope(() => {
      const { loss, gradients } = gradientsByNumbers(config, model, step);
      noGrad(() => {
        move(gradients, step + 1);
        if (config.averaging === 0) return;
        const kept = averagingDecay(config.averaging, step + 1);
        const own = [...average.module.state().values()];
        ops.foreachMul_(own, kept);
        ops.foreachAdd_(own, [...model.module.state().values()], 1 - kept);
      });
      return loss;
    }),
  );
  return { losses, weights: bytesOf((config.averaging === 0 ? model : average).module.state()) };
}

function byVariables(given: TrainConfigInput) {
  const session = new TrainingSession(trainConfig(given));
  const losses = Array.from({ length: steps }, (_, step) => {
    session.step(step);
    return session.look().losses;
  }).flat();
  return { losses, weights: bytesOf(session.evaluated.module.state()) };
}

const bytesOf = (state: ReadonlyMap<string, Tensor>) =>
  Object.fromEntries(
    [...state].map(([name, value]) => [
      name,
      Buffer.from(value.detach().toArray().buffer).toString("base64"),
    ]),
  );

/**
 * SGD with momentum and decay, Nesterov's or not, as plain numbers do it: each product is rounded before it
 * is added.
 */
const sgdByNumbers = (nesterov: boolean) => (values: Tensor[]) => {
  const velocities = values.map((value) => value.detach().zerosLike());
  return (gradients: Tensor[]) => {
    for (const [i, value] of values.entries()) {
      const velocity = velocities[i]!;
      const descent = value.mul(5e-4).add(gradients[i]!);
      velocity.copy_(velocity.mul(0.9).add(descent));
      value.add_((nesterov ? velocity.mul(0.9).add(descent) : velocity).mul(-rate));
    }
  };
};

const adamByNumbers = (values: Tensor[]) => {
  const [means, squares] = [0, 1].map(() => values.map((value) => value.detach().zerosLike()));
  return (gradients: Tensor[], t: number) => {
    ops.foreachMul_(means!, 0.9);
    ops.foreachAdd_(means!, gradients, 1 - 0.9);
    ops.foreachMul_(squares!, 0.999);
    ops.foreachAddcmul_(squares!, gradients, gradients, 1 - 0.999);
    const denominators = ops.foreachSqrt(squares!);
    for (const denominator of denominators) denominator.div_(Math.sqrt(1 - 0.999 ** t));
    ops.foreachAddScalar_(denominators, 1e-8);
    ops.foreachAddcdiv_(values, means!, denominators, -rate / (1 - 0.9 ** t));
  };
};

describe("a step by variables has the bits of one by numbers", () => {
  test.each<Partial<TrainConfigInput>>([
    { method: "standard" },
    { method: "fgsm(epsilon=0.1)" },
    { method: "fgsm(epsilon=0.1)", cleanWeight: 0.5 },
    { method: "fgsm(epsilon=0.1)", cleanWeight: 0.5, defenses: ["sap"] },
    { method: "fgsm(epsilon=0.1, labels=predicted, sampled=true)", cleanWeight: 0.3 },
    { method: "fgsm-rs(epsilon=0.1)", augmentation: "crop-flip(padding=2)" },
    { method: "n-fgsm(epsilon=0.1)", labelSmoothing: 0.4, cleanWeight: 0.5, averaging: 0.6 },
    { method: "pgd(epsilon=0.1, steps=3)", model: "small(batchNorm=true)" },
    { method: "fgsm-rs(epsilon=0.1)", precision: "bfloat16" },
    { method: "n-fgsm(epsilon=0.1)", defenses: [] },
  ])("%j", (options) => {
    const config = { ...base, ...options };
    expect(byVariables(config)).toEqual(byNumbers(config, sgdByNumbers(false)));
  });

  test("with Nesterov's momentum", () => {
    const config: TrainConfigInput = { ...base, optimizer: "sgd(nesterov=true)" };
    expect(byVariables(config)).toEqual(byNumbers(config, sgdByNumbers(true)));
  });

  test("with Adam", () => {
    const config: TrainConfigInput = { ...base, optimizer: "adam" };
    expect(byVariables(config)).toEqual(byNumbers(config, adamByNumbers));
  });
});

const { cuda, cudaDevices } = versions();
const device = "cuda:0";

// Where there is a device, a captured step is one that is made operator by operator: the guard measures after
// each of those.
test.skipIf(cudaDevices === 0 || cuda !== "kernels")(
  "replayed steps are those made one by one, to rounding",
  () => {
    const guardedBy = (signalInterval: number): TrainConfigInput => ({
      ...base,
      method: "fgsm-rs(epsilon=0.1)",
      optimizer: "adam",
      averaging: 0.5,
      heldOut: 4,
      guard: `roll-back(interval=1000, signalInterval=${signalInterval})`,
      epochs: 10,
    });
    const [replayed, single] = [1000, 1].map((interval) => {
      const session = new TrainingSession(trainConfig(guardedBy(interval)), device);
      const measured = Array.from({ length: 20 }, (_, step) => session.step(step));
      expect(measured.every((signals) => (signals !== undefined) === (interval === 1))).toBe(true);
      const { losses } = session.look();
      session.dispose();
      return losses;
    });
    expect(replayed).toHaveLength(20);
    for (const [i, loss] of replayed!.entries())
      expect(Math.abs(loss - single![i]!)).toBeLessThan(0.01 * single![i]!);
  },
);

test("steps must be looked at, and a look tells each loss once", () => {
  const session = new TrainingSession(trainConfig(base));
  session.step(0);
  expect(session.lookIsDue).toBe(true);
  expect(() => session.step(1)).toThrow("1 step without a look");
  expect(session.look().losses).toHaveLength(1);
  expect(session.look()).toEqual({ losses: [], zeroGradient: false });
});
