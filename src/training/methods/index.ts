import type { TextOf } from "../../options/index.js";
import * as all from "./all.js";
import { methods } from "./method.js";

export * from "./all.js";
export {
  defineMethod,
  type MethodWork,
  methodOf,
  methodOption,
  methods,
  type TrainingMethod,
} from "./method.js";
export { ballOf, singleStep, type TrainedBall, usualAttacks } from "./usual-attacks.js";

methods.include(...Object.values(all));

/** Text of a training method of the package. */
export type MethodText = TextOf<typeof all>;
