import type { TextOf } from "../../../options/index.js";
import * as all from "./all.js";
import { guards } from "./guard.js";

export * from "./all.js";
export { defineGuard, type Guard, guards } from "./guard.js";

guards.include(...Object.values(all));

/** Text of a guard of the package. */
export type GuardText = TextOf<typeof all>;
