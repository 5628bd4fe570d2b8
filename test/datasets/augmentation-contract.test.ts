import { afterAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { deriveSeed } from "../../src/base/index.js";
import { augmentations, defineAugmentation } from "../../src/datasets/index.js";
import {
  countedUniform,
  imageIdRange,
  scope,
  type Tensor,
  uniform,
  withoutHostAccess,
} from "../../src/engine/index.js";
import { testDefinition } from "../options/kind-contract.js";

/** Augmentation of somebody else's: each image is darkened by as much as its noise says. */
const dim = defineAugmentation("dim", {
  summary: "darkens each image by a random factor",
  options: z.strictObject({
    most: z.number().min(0).max(1).default(0.5).describe("largest share of light taken away"),
  }),
  create: ({ most }) => ({
    augment: (images, noise) => images.mul(uniform(noise, [1, 1, 1]).mul(-most).add(1)),
  }),
});
afterAll(augmentations.register(dim));

const shape = [3, 12, 9];
const noise = (draw: number, first: number, count: number) => ({
  seed: deriveSeed(5),
  draw,
  imageIds: imageIdRange(first, count),
});
const images = countedUniform(noise(9, 0, 8), 0, shape);

describe.each(augmentations.names)("augmentation %s", (name) => {
  const definition = augmentations.definition(name);
  testDefinition(augmentations, definition);
  const { augment } = definition.make({});
  const varied = (from: Tensor, draw: number, first = 0) =>
    scope(() => (augment?.(from, noise(draw, first, from.shape[0]!)) ?? from).toNumbers());

  test("gives images of the same shape and type in [0, 1], and leaves those given as they are", () => {
    const before = images.toNumbers();
    const made = augment?.(images, noise(1, 0, 8)) ?? images;
    expect([made.shape, made.dtype]).toEqual([[8, ...shape], "float32"]);
    const [low, high] = [made.amin().item(), made.amax().item()];
    expect(low >= 0 && high <= 1).toBe(true);
    expect(images.toNumbers()).toEqual(before);
  });

  test("varies an image by the step and the image alone, whatever its batch", () => {
    const size = shape[0]! * shape[1]! * shape[2]!;
    const whole = varied(images, 1);
    expect(varied(images, 1)).toEqual(whole);
    expect(varied(images.slice(0, 3, 6), 1, 3)).toEqual(whole.slice(3 * size, 6 * size));
  });

  test.skipIf(augment === undefined)(
    "varies another step's images otherwise, and images each in its way",
    () => {
      expect(varied(images, 2)).not.toEqual(varied(images, 1));
      const same = images
        .slice(0, 0, 1)
        .expand([8, ...shape])
        .contiguous();
      const [first, ...others] = Array.from({ length: 8 }, (_, i) =>
        varied(same, 1).slice(i * 324, (i + 1) * 324),
      );
      expect(others.some((other) => other.join() !== first!.join())).toBe(true);
    },
  );

  test("reads no tensor, so that a device can replay it", () => {
    const there = noise(1, 0, 8);
    withoutHostAccess(() => scope(() => void augment?.(images, there)));
  });
});
