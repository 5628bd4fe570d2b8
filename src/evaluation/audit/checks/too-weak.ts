import type { Counts } from "../../../trials/index.js";
import { falls, negligible } from "../difference.js";
import type { Judgment } from "./check.js";

/** Tells an attack that did next to nothing: it lowers clean accuracy by no more than a point or chance. */
export function isTooWeak(clean: Counts, under: Counts): boolean {
  return !falls(clean, under, negligible);
}

/**
 * Judgment of a check, skipped in place of passed where every attack that it rests on did next to nothing:
 * that these find no more than others says nothing.
 */
export function unlessTooWeak(judgment: Judgment, clean: Counts, attacks: readonly Counts[]): Judgment {
  if (judgment.outcome !== "passed" || !attacks.every((under) => isTooWeak(clean, under))) return judgment;
  return { outcome: "skipped", evidence: `too weak to say: ${judgment.evidence}` };
}
