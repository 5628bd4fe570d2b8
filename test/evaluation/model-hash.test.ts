import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { TensorSplit } from "../../src/datasets/index.js";
import { denoiserPart, guidedDenoiser } from "../../src/defenses/index.js";
import { operators as ops, type Tensor, tensor } from "../../src/engine/index.js";
import { weightsSha256 } from "../../src/evaluation/audit/evidence/model-facts.js";
import { modelIdentity } from "../../src/evaluation/model-hash.js";
import { modelOf } from "../../src/models/index.js";
import { type Classifier, Flatten, Linear, Sequential, transformTensors } from "../../src/nn/index.js";
import { openModel } from "../../src/trials/index.js";
import { partsFolder, writePart } from "../defenses/parts.js";
import { coin } from "./coin.js";
import { brightness, grays } from "./splits.js";

const data = new TensorSplit(grays(10, 100, 130, 200, 250));
const identityOf = (classifier: Classifier) => modelIdentity(openModel(classifier), data);

/** The same logits with other gradients: `change` has its value taken out. */
const withGradient = (change: (images: Tensor) => Tensor): Classifier => ({
  ...brightness,
  logits(images, noise) {
    const passed = change(images);
    return brightness.logits(images, noise).detach().add(passed.sub(passed.detach()));
  },
});

describe("identity of a classifier", () => {
  const sums = (images: Tensor) =>
    images
      .sumDim([1, 2, 3])
      .unsqueeze(1)
      .mul(tensor([1, 3], [1, 2]));
  const nowhere = (images: Tensor) => images.sub(images.detach()).sqrt().sumDim([1, 2, 3]).unsqueeze(1);

  test("tells the same logits with other gradients apart, also zero and not finite ones", () => {
    const all = [
      brightness,
      withGradient(sums),
      withGradient((images) => sums(images).mul(2)),
      withGradient((images) => sums(images).neg()),
      withGradient((images) => sums(images).mul(0)),
      withGradient(nowhere),
    ];
    const identities = all.map(identityOf);
    expect(new Set(identities).size).toBe(all.length);
    expect(all.map(identityOf)).toEqual(identities);
  });

  test("is that of another classifier with the same gradients but for their last digits", () => {
    const [one, other] = [1, 1 + 1e-6].map((factor) => withGradient((images) => sums(images).mul(factor)));
    expect(identityOf(one!)).toBe(identityOf(other!));
  });

  test("is there without any gradient, and where the pass throws", () => {
    const blind: Classifier = { ...brightness, logits: (images) => ops.zeros([images.shape[0]!, 2]) };
    const refusing: Classifier = {
      ...blind,
      logits(images, noise) {
        if (images.requiresGrad) throw new Error("no gradients here");
        return blind.logits(images, noise);
      },
    };
    for (const classifier of [blind, refusing]) {
      expect(identityOf(classifier)).toMatch(/^classifier [0-9a-f]{12}$/);
    }
  });

  test("tells of randomness by a second draw, and by what the classifier says", () => {
    const second = (change: number): Classifier => ({
      ...brightness,
      randomized: true,
      logits: (images, noise) => brightness.logits(images, noise).add(noise.draw === 1 ? change : 0),
    });
    const all = [brightness, second(0), second(1), coin(0.05), coin(0.95)];
    expect(new Set(all.map(identityOf)).size).toBe(all.length);
  });

  test("covers surrogates: their names, answers and gradients", () => {
    const lending = (surrogates: Record<string, Classifier>): Classifier => ({ ...brightness, surrogates });
    const mute: Classifier = {
      ...brightness,
      logits() {
        throw new Error("no answer");
      },
    };
    const all = [
      brightness,
      lending({ mean: brightness }),
      lending({ other: brightness }),
      lending({ mean: withGradient(sums) }),
      lending({ mean: coin(0.5) }),
      lending({ mean: mute }),
    ];
    expect(new Set(all.map(identityOf)).size).toBe(all.length);
  });
});

describe("a model with a trained part of a defense", () => {
  const { folder, remove } = partsFolder();
  const denoiser = join(folder, "denoiser.safetensors");
  afterAll(remove);

  /** A linear model behind the denoiser that lies at the path now. */
  const built = () =>
    modelOf((seed) => new Sequential({ flatten: new Flatten(), fc: new Linear(4, 2, { seed }) }), {
      inputShape: [1, 2, 2],
      classes: 2,
    }).build({ seed: 1, defenses: [guidedDenoiser({ denoiser })] });
  const write = (weight: number) => {
    const sizes = { channels: 1, width: 1 };
    const state = [...denoiserPart.build(sizes).state()];
    const weights = state.map(([name, { size }]) => [name, Array<number>(size).fill(weight)]);
    writePart(denoiser, denoiserPart, sizes, Object.fromEntries(weights));
  };

  test("is another one where its part was trained again under the same path", () => {
    const tell = (weight: number) => {
      write(weight);
      const model = built();
      const told = [modelIdentity(openModel(model), data), weightsSha256(model.module)];
      model.module.dispose();
      return told;
    };
    const [one, again, other] = [0.25, 0.25, 0.5].map(tell);
    expect(again).toEqual(one);
    for (const [i, text] of other!.entries()) expect(text).not.toBe(one![i]);
  });

  test("frees the part's weights with its own", () => {
    write(0.25);
    const model = built();
    const held = [...model.module.state(), ...transformTensors(model.module)];
    expect(held.length).toBeGreaterThan(40);
    model.module.dispose();
    expect(held.filter(([, { disposed }]) => !disposed)).toEqual([]);
  });
});
