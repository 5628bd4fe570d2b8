import type { TextOf } from "../../options/index.js";
import * as all from "./all.js";
import { optimizers } from "./optimizer.js";

export * from "./all.js";
export { defineOptimizer, type Optimizer, type OptimizerRun, optimizers } from "./optimizer.js";

optimizers.include(...Object.values(all));

/** Text of an optimizer of the package. */
export type OptimizerText = TextOf<typeof all>;
