import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { type Attack, defineAttack, type Norm, norms, pgd } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { countedUniform, imageIdRange, setThreads, type Tensor } from "../../src/engine/index.js";
import { modelOf } from "../../src/models/index.js";
import { Flatten, Linear, Sequential } from "../../src/nn/index.js";
import { verifyAdversarial } from "../../src/trials/index.js";

beforeAll(() => setThreads(1));

const imageIds = imageIdRange(0, 4);
const noise = (name: string) => ({ seed: deriveSeed(0, name), draw: 0, imageIds });
const photos = countedUniform(noise("photos"), 0, [3, 224, 224]);

/** Attack of a norm and radius, whatever it does. */
const of = (norm: Norm, radius: number): Attack =>
  defineAttack("any", {
    summary: "for tests",
    options: z.strictObject({}),
    traits: () => ({ norm, radius, usesGradients: false, randomized: false }),
    run: (_, __, images) => images,
  })();

const verified = (norm: Norm, radius: number, images: Tensor, shown: Tensor) => () =>
  verifyAdversarial(of(norm, radius), images, shown);

describe("the rounding of large images", () => {
  it("is no fault of PGD in l1", () => {
    const head = new Linear(3 * 224 * 224, 2, { seed: deriveSeed(0, "head") });
    const module = new Sequential({ flat: new Flatten(), head });
    const model = modelOf(module, { inputShape: [3, 224, 224], classes: 2 }).build({ seed: 0 });
    const attack = pgd({ norm: "l1", epsilon: 1, steps: 3 });
    const labels = photos.flatten(1).select(1, 0).mul(0).to("int64");
    const context = { seed: deriveSeed(0, "attack"), imageIds };
    const shown = attack(model.classifier(), photos, labels, context);
    expect(() => verifyAdversarial(attack, photos, shown)).not.toThrow();
  });

  it("is no fault of the nearest points in a ball, random or alike in all pixels", () => {
    const start = countedUniform(noise("start"), 0, [3, 224, 224]);
    const [gray, bright] = [0.6, 0.9].map((value) => photos.mul(0).add(value));
    for (const [norm, images, moved] of [
      ["l1", photos, start],
      ["l2", photos, start],
      ["l1", gray!, bright!],
    ] as const) {
      for (const radius of [1, 30]) {
        const shown = moved.clone();
        norms[norm].ball(images, radius).project_(shown);
        expect(verified(norm, radius, images, shown)).not.toThrow();
      }
    }
  });

  it.each([
    ["l1", 1.02],
    ["l2", 1.0001],
    ["linf", 1.00001],
  ] as const)("hides no %s distance beyond it", (norm, factor) => {
    const pixels = 3 * 224 * 224;
    const length = { l1: pixels, l2: Math.sqrt(pixels), linf: 1 }[norm];
    const images = photos.mul(0).add(0.25);
    const shown = images.add((0.25 * factor) / length);
    expect(verified(norm, 0.25, images, shown)).toThrow(`left its ball: ${norm} distance`);
  });
});
