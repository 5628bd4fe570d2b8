import * as z from "zod";
import { defineAugmentation } from "./augmentation.js";

/** Images as they are. */
export const noAugmentation = defineAugmentation("none", {
  summary: "images as they are",
  options: z.strictObject({}),
  create: () => ({ augment: undefined }),
});
