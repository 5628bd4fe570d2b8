import type { TextOf } from "../options/index.js";
import * as all from "./all.js";
import { attacks } from "./contract/attack.js";

export * from "./all.js";
export { atEpsilon } from "./combinators/minimal-epsilon.js";
export { nearImages } from "./combinators/within.js";
export {
  type Attack,
  type AttackTraits,
  attacks,
  checkAttacks,
  checkClassifier,
  checkProposal,
  defineAttack,
} from "./contract/attack.js";
export { defineCombinator } from "./contract/combinator.js";
export {
  labelsFrom,
  labelsOption,
  linfRadius,
  type Norm,
  normOption,
  radiusFitsNorm,
  radiusOption,
  stepSizeOption,
} from "./contract/options.js";
export {
  type AttackContext,
  attackSeed,
  type PassCounter,
  plainView,
  type SuitePart,
  type TakenGradient,
  type View,
} from "./contract/passes.js";
export { Victim } from "./contract/victim.js";
export { type NormGeometry, norms, perturbationLengths } from "./geometry/norms.js";
export { attackLabel } from "./labels/attack-label.js";
export { labeledCalls, labelOf } from "./labels/labeled-calls.js";

attacks.include(...Object.values(all));

/** Text of an attack of the package. */
export type AttackText = TextOf<typeof all>;
