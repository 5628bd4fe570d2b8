import { checkKind, isObject, unknownName } from "../base/index.js";
import { type Call, parseCall } from "../options/call.js";
import { apgd } from "./apgd.js";
import { apgdT } from "./apgd-t.js";
import { autoattack } from "./autoattack.js";
import { bim } from "./bim.js";
import { boundary } from "./boundary.js";
import {
  backward,
  combinators,
  expectation,
  jacobianScaling,
  minimalEpsilon,
  restarts,
  temperature,
  within,
  worstCase,
} from "./combinators/index.js";
import type { Attack, AttackDescription } from "./contract/attack.js";
import { cwL2 } from "./cw-l2.js";
import { cwLinf } from "./cw-linf.js";
import { ddn } from "./ddn.js";
import { deepfool } from "./deepfool.js";
import { ead } from "./ead.js";
import { fab } from "./fab.js";
import { fabT } from "./fab-t.js";
import { fgsm } from "./fgsm.js";
import { fmn } from "./fmn.js";
import { hopSkipJump } from "./hop-skip-jump.js";
import { madryCw } from "./madry-cw.js";
import { miFgsm } from "./mi-fgsm.js";
import { nes } from "./nes.js";
import { niFgsm } from "./ni-fgsm.js";
import { noise } from "./noise.js";
import { pgd } from "./pgd.js";
import { rotationTranslation } from "./rotation-translation.js";
import { spsa } from "./spsa.js";
import { square } from "./square.js";
import { unconstrained } from "./unconstrained.js";

export {
  type Attack,
  type AttackDefinition,
  type AttackDescription,
  type AttackTraits,
  defineAttack,
  type Norm,
} from "./contract/attack.js";
export { type AttackContext, attackSeed, type PassCounter } from "./contract/context.js";
export type { SuitePart } from "./contract/reported.js";
export { shortLabel } from "./contract/short-label.js";
export { Target } from "./contract/target.js";
export {
  apgd,
  apgdT,
  autoattack,
  backward,
  bim,
  boundary,
  combinators,
  cwL2,
  cwLinf,
  ddn,
  deepfool,
  ead,
  expectation,
  fab,
  fabT,
  fgsm,
  fmn,
  hopSkipJump,
  jacobianScaling,
  madryCw,
  miFgsm,
  minimalEpsilon,
  nes,
  niFgsm,
  noise,
  pgd,
  restarts,
  rotationTranslation,
  spsa,
  square,
  temperature,
  unconstrained,
  within,
  worstCase,
};

/** Every attack by its name; a new one is a file and a name here. */
export const attacks: ReadonlyMap<string, AttackDescription> = new Map<string, AttackDescription>(
  [
    fgsm,
    bim,
    pgd,
    miFgsm,
    niFgsm,
    apgd,
    apgdT,
    cwLinf,
    madryCw,
    cwL2,
    deepfool,
    fab,
    fabT,
    ead,
    ddn,
    fmn,
    unconstrained,
    autoattack,
    square,
    nes,
    spsa,
    hopSkipJump,
    boundary,
    noise,
    rotationTranslation,
  ].map((definition) => [definition.name, definition]),
);

/**
 * The attack that text or data stands for: `pgd(epsilon=8/255, steps=7)`, `restarts(pgd(), times=10)`,
 * `worst-case(pgd(), cw-linf())`, or an attack's `call`. Options left out have their defaults.
 * RangeError for text that is no call, an unknown name (the nearest is suggested), or options that do not fit.
 */
export function parseAttack(given: string | Call): Attack {
  const readable = typeof given === "string" || (isObject(given) && typeof given.name === "string");
  checkKind("attack", given, 'text such as "pgd(steps=7)" or the call of an attack', readable);
  const { name, options, of = [] } = typeof given === "string" ? parseCall(given) : given;
  const combinator = combinators.get(name);
  if (combinator !== undefined) return combinator.combine(of.map(parseAttack), options);
  const definition = attacks.get(name);
  if (definition === undefined) throw unknownName("attack", name, [...attacks.keys(), ...combinators.keys()]);
  if (of.length > 0) throw new RangeError(`attack ${name}: takes no attack inside it, given ${of[0]!.name}`);
  return definition.fromOptions(options);
}
