import * as z from "zod";
import { defineMethod, type MethodWork } from "./method.js";

/** Training on clean images. */
export const standard = defineMethod("standard", {
  summary: "clean images only",
  options: z.strictObject({}),
  create: (): MethodWork => ({ perturb: undefined }),
});
