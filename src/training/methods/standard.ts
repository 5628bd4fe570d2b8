import * as z from "zod";
import { define } from "../../options/named.js";
import type { TrainingMethod } from "./method.js";

/** Training on clean images. */
export const standard = define({
  name: "standard",
  summary: "clean images only",
  options: z.strictObject({}),
  create: (): TrainingMethod => ({ perturb: undefined }),
});
