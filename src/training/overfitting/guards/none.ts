import * as z from "zod";
import { defineGuard } from "./guard.js";

/** No guard: alarms after each epoch alone. */
export const noGuard = defineGuard("none", {
  summary: "alarms after each epoch alone",
  options: z.strictObject({}),
  create: () => ({ rules: undefined }),
});
