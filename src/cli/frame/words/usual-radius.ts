import { type Attack, attacks } from "../../../attacks/index.js";
import type { Dataset } from "../../../datasets/index.js";
import { formatRatio } from "../../../options/index.js";
import type { TrainingMethod } from "../../../training/index.js";
import { note } from "../output.js";

const ballOf = (one: Attack | TrainingMethod) =>
  attacks.is(one) ? one.traits : { norm: one.norm ?? "linf", radius: one.epsilon };

/**
 * Says which attacks and methods name no radius, where the default, which they then take, is not usual for
 * the images.
 */
export function noteUnusualRadius(
  given: readonly (Attack | TrainingMethod)[],
  { name, epsilon }: Dataset,
): void {
  if (epsilon === undefined) return;
  for (const one of given) {
    const { norm, radius } = ballOf(one);
    if (norm !== "linf" || radius === undefined || radius === epsilon) continue;
    if (/epsilon/.test(String(one))) continue;
    const [own, usual] = [radius, epsilon].map(formatRatio);
    note(`${one} names no radius and takes ${own}; usual for ${name} is ${usual}, given as epsilon=${usual}`);
  }
}
