import type { TextOf } from "../../options/index.js";
import * as all from "./all.js";
import { augmentations } from "./augmentation.js";

export * from "./all.js";
export { type Augmentation, augmentations, defineAugmentation } from "./augmentation.js";

augmentations.include(...Object.values(all));

/** Text of an augmentation of the package. */
export type AugmentationText = TextOf<typeof all>;
