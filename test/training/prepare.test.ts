import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { attacks, fgsm } from "../../src/attacks/index.js";
import { defineAugmentation, imagesOf } from "../../src/datasets/index.js";
import { keep, scope, type Tensor, tensor } from "../../src/engine/index.js";
import { modelOf } from "../../src/models/index.js";
import { Flatten, Linear, Module, Sequential } from "../../src/nn/index.js";
import { type TrainConfigInput, train, trainConfig } from "../../src/training/index.js";
import { prepare } from "../../src/training/prepare.js";
import { TrainingSession } from "../../src/training/session.js";

const classes = Array.from({ length: 10 }, (_, i) => `class ${i}`);
const count = 1000;
const inOrder = Array.from({ length: count }, (_, i) => Math.floor(i / 100));
const mixed = Array.from({ length: count }, (_, i) => i % 10);

const model = modelOf((seed) => new Sequential({ flatten: new Flatten(), fc: new Linear(4, 10, { seed }) }), {
  name: "linear",
  inputShape: [1, 2, 2],
  classes: 10,
});

/** Positions that a run on images of the given labels attacks, and the number of classes among them. */
function attacked(labels: readonly number[], given: Partial<TrainConfigInput>) {
  const data = imagesOf({
    images: Uint8Array.from({ length: 4 * count }, (_, i) => i),
    labels: [...labels],
    shape: [1, 2, 2],
    classes,
  });
  const config = trainConfig({ model, data, method: "fgsm(epsilon=0.1)", validationImages: 100, ...given });
  const prepared = prepare(config, "cpu");
  prepared.data.dispose();
  const { validation, guarded, heldOut } = prepared;
  const classesIn = (positions: Int32Array) => new Set(Array.from(positions, (at) => labels[at])).size;
  return {
    ...{ validation, guarded, heldOut },
    classes: [validation, guarded].map(classesIn),
  };
}

describe("images that are attacked while a run trains", () => {
  const guard = { guard: "roll-back(images=100)", heldOut: 500 } as const;

  test("are of every class where the images lie by class", () => {
    expect(attacked(inOrder, {}).classes[0]).toBe(10);
    expect(attacked(inOrder, guard).classes).toEqual([10, 10]);
  });

  test("are drawn by the seed alone from those held out", () => {
    const [one, again, other] = [guard, guard, { ...guard, seed: 1 }].map((given) => attacked(mixed, given));
    expect(one).toEqual(again);
    expect(one!.heldOut).not.toEqual(other!.heldOut);
    for (const drawn of [one!.validation, one!.guarded]) {
      expect(drawn).toHaveLength(100);
      expect(new Set(drawn).size).toBe(100);
      expect(drawn.every((position) => one!.heldOut.includes(position))).toBe(true);
    }
  });

  test("are all that are held out where no more are there, and else the first of shuffled ones", () => {
    const { validation, guarded, heldOut } = attacked(inOrder, {
      guard: "roll-back(images=500)",
      heldOut: 90,
    });
    expect([validation, guarded]).toEqual([heldOut, heldOut]);
    expect([...attacked(mixed, {}).validation]).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});

/** A linear network whose weights are of 64 bits. */
class Double extends Module {
  readonly weight = keep(
    scope(() => tensor(new Float32Array(40).fill(0.5), [4, 10]).to("float64")),
  ).requireGrad();

  protected override forward(images: Tensor): Tensor {
    return images.flatten(1).to("float64").matmul(this.weight);
  }
}

test("weights that a run cannot keep are refused before its first step", async () => {
  const wide = modelOf(() => new Double(), { name: "double", inputShape: [1, 2, 2], classes: 10 });
  const data = imagesOf({
    images: new Uint8Array(80),
    labels: mixed.slice(0, 20),
    shape: [1, 2, 2],
    classes,
  });
  const runs = mkdtempSync(join(tmpdir(), "sqa-prepare-"));
  const run = train({ model: wide, data, epochs: 1, method: "standard" }, { runs });
  await expect(run).rejects.toThrow("weights must be float32, not float64: train it in float32");
  expect(readdirSync(runs)).toEqual([]);
  rmSync(runs, { recursive: true });
});

describe("a last batch of one image", () => {
  const data = imagesOf({
    images: Uint8Array.from({ length: 9 * 64 }, (_, i) => i),
    labels: mixed.slice(0, 9),
    shape: [1, 8, 8],
    classes,
  });
  const given = { data, batchSize: 4, epochs: 1, method: "standard" } as const;

  test("is refused before the first step where batch normalization has one value a channel", async () => {
    const runs = mkdtempSync(join(tmpdir(), "sqa-prepare-"));
    const run = train({ ...given, model: "small(hiddenNorm=true)" }, { runs });
    await expect(run).rejects.toThrow(
      /^the last batch of an epoch has one image: .*one value a channel.*--batch-size, --limit/,
    );
    await expect(run).rejects.toThrow(RangeError);
    expect(readdirSync(runs)).toEqual([]);
    rmSync(runs, { recursive: true });
  });

  test("is trained on where its pixels are enough, and the trial leaves no trace", () => {
    const session = new TrainingSession(trainConfig({ ...given, model: "small(batchNorm=true)" }));
    const { module } = session.model;
    const means = [...module.state()].filter(([name]) => name.endsWith("running_mean"));
    expect(means.length).toBeGreaterThan(0);
    for (const [, mean] of means) expect(Math.max(...mean.toNumbers().map(Math.abs))).toBe(0);
    session.dispose();
  });
});

test.each([
  ["ls-pga()", "ls-pga: the classifier reads no levels of pixels"],
  ["pgd(target=10)", "cannot be 10"],
  ["backward(pgd())", "noise-free"],
  ["worst-case(fgsm(), backward(pgd()))", "noise-free"],
])(
  "validation by %s is refused before the first step where the model cannot be attacked so",
  async (attack, fault) => {
    const data = imagesOf({
      images: new Uint8Array(80),
      labels: mixed.slice(0, 20),
      shape: [1, 2, 2],
      classes,
    });
    const runs = mkdtempSync(join(tmpdir(), "sqa-prepare-"));
    const run = train(
      { model, data, epochs: 1, method: "standard", validationAttacks: [fgsm(), attacks.parse(attack)] },
      { runs },
    );
    await expect(run).rejects.toThrow(RangeError);
    await expect(run).rejects.toThrow(/^validationAttacks\[1\]: /);
    await expect(run).rejects.toThrow(fault);
    expect(readdirSync(runs)).toEqual([]);
    rmSync(runs, { recursive: true });
  },
);

test.each<[string, (images: Tensor) => unknown, string]>([
  ["brighter", (images) => images.add(0.5), "returned pixels outside [0, 1], 0.5 .. "],
  ["flatter", (images) => images.flatten(1), "returned float32 [16, 4], not float32 [16, 1, 2, 2] as its"],
  ["absent", () => undefined, "returned undefined, not float32 [16, 1, 2, 2] as its images"],
])(
  "an augmentation whose images are no images, as those of %s, is refused before the first step",
  (...given) => {
    const [name, augment, fault] = given;
    const mine = defineAugmentation(name, {
      summary: "one of somebody else's",
      options: z.strictObject({}),
      create: () => ({ augment: augment as (images: Tensor) => Tensor }),
    });
    const images = Uint8Array.from({ length: 80 }, (_, i) => i * 3);
    const data = imagesOf({ images, labels: mixed.slice(0, 20), shape: [1, 2, 2], classes });
    const config = trainConfig({ model, data, epochs: 1, method: "standard", augmentation: mine() });
    expect(() => new TrainingSession(config)).toThrow(`augmentation ${name} ${fault}`);
  },
);

test.each<[string, (images: Tensor) => unknown, string]>([
  ["returns a list", (x) => [x], "model own: the output must be a tensor, not a list"],
  [
    "changes its images",
    (x) => {
      x.mul_(0.5);
      return x.flatten(1);
    },
    "model own changes or frees the images that it is given: it must work on a clone",
  ],
  [
    "throws",
    () => {
      throw new Error("my own fault");
    },
    "model own: cannot answer images of shape [1, 2, 2]: my own fault",
  ],
  ["has other classes", (x) => x.flatten(1), "the logits of model own must have shape [2, 10], not [2, 4]"],
])("a network that %s is named before the first step", (_, answer, message) => {
  class Own extends Module {
    readonly fc = new Linear(4, 10, { seed: 0 });

    protected override forward(images: Tensor): Tensor {
      return answer(images) as Tensor;
    }
  }
  const own = modelOf(() => new Own(), { name: "own", inputShape: [1, 2, 2], classes: 10 });
  const data = imagesOf({
    images: new Uint8Array(160).fill(99),
    labels: mixed.slice(0, 40),
    shape: [1, 2, 2],
    classes,
  });
  const config = trainConfig({ model: own, data, method: "standard" });
  expect(() => new TrainingSession(config)).toThrow(message);
});
