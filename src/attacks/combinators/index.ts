import { backward } from "./backward.js";
import type { CombinatorDescription } from "./combinator.js";
import { expectation } from "./expectation.js";
import { jacobianScaling } from "./jacobian-scaling.js";
import { minimalEpsilon } from "./minimal-epsilon.js";
import { restarts } from "./restarts.js";
import { temperature } from "./temperature.js";
import { within } from "./within.js";
import { worstCase } from "./worst-case.js";

export { type CombinatorDefinition, type CombinatorDescription, defineCombinator } from "./combinator.js";
export { backward, expectation, jacobianScaling, minimalEpsilon, restarts, temperature, within, worstCase };

/** Every way to make one attack of others, by its name; a new one is a file and a name here. */
export const combinators: ReadonlyMap<string, CombinatorDescription> = new Map<string, CombinatorDescription>(
  [restarts, worstCase, expectation, backward, temperature, jacobianScaling, minimalEpsilon, within].map((one) => [
    one.name,
    one,
  ]),
);
