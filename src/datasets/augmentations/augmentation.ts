import type * as z from "zod";
import { checkKind } from "../../base/index.js";
import type { Noise, Tensor } from "../../engine/index.js";
import { type Factory, Kind, type Value } from "../../options/index.js";

/** Augmentation before its options name it. */
export interface AugmentationWork {
  /**
   * Varies float32 images (N, C, H, W) by counted noise of the step and the image; undefined leaves them as
   * they are. It reads no tensor, so that a device can replay it.
   */
  readonly augment: ((images: Tensor, noise: Noise) => Tensor) | undefined;
}

/** Augmentation of training images with its options, such as `cropFlip()`. */
export interface Augmentation extends AugmentationWork, Value {
  readonly name: string;
}

/** Every augmentation by its name: `augmentations.parse("crop-flip(padding=4)")`. */
export const augmentations = new Kind<AugmentationWork, Augmentation>("augmentation", "crop-flip", checkWork);

/** Defines an augmentation; `augmentations.register` makes it known by its name. */
export function defineAugmentation<const Name extends string, Schema extends z.ZodObject>(
  name: Name,
  definition: {
    readonly summary: string;
    readonly options: Schema;
    create(options: z.output<Schema>): AugmentationWork;
  },
): Factory<Augmentation, Name, Schema> {
  return augmentations.define(name, definition);
}

/** TypeError for an `augment` that cannot be called. */
function checkWork(what: string, { augment }: AugmentationWork): void {
  const fits = augment === undefined || typeof augment === "function";
  checkKind(`${what}: augment`, augment, "a function, or undefined for none", fits);
}
