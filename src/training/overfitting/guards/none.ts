import * as z from "zod";
import { defineGuard } from "./guard.js";

/** No guard: alarms after each epoch only. */
export const noGuard = defineGuard("none", {
  summary: "no guard: alarms after each epoch only",
  options: z.strictObject({}),
  create: () => ({ rules: undefined }),
});
