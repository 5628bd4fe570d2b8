import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { type Goal, goalRows, leadOf, lossOf, mostSteps } from "./options.js";
import { beyondRounding } from "./passes.js";
import type { Victim } from "./victim.js";

/** Some of the images under attack. */
export interface Part {
  readonly victim: Victim;
  readonly images: Tensor;
  readonly labels: Tensor;
  /** Takes the rows of these images from a tensor with a row for each of all images. */
  rows(all: Tensor): Tensor;
}

/** Run of an attack, which proposes adversarial images (M, C, H, W) for a part of all images. */
export type Run = (part: Part) => Tensor;

/** Draws of a randomized classifier over which candidates are compared. */
export const selectionDraws = z
  .int()
  .min(1)
  .max(mostSteps)
  .default(8)
  .describe("draws of a randomized classifier over which candidates are compared");

/** Part of the images with the indices `left`, int64 (M); all of them where undefined. */
export function partOf(victim: Victim, images: Tensor, labels: Tensor, left?: Tensor): Part {
  if (left === undefined) return { victim, images, labels, rows: (all) => all };
  const rows = (all: Tensor) => all.indexSelect(0, left);
  return { victim: victim.rows(left), images: rows(images), labels: rows(labels), rows };
}

/**
 * Does work on all images of a batch, and counts its passes for `standing` of them alone: the others have
 * succeeded, and only wait to leave. So an image takes the same number of passes in any batch.
 */
export function countingStanding(victim: Victim, standing: number, count: number, work: () => void): void {
  const { passes } = victim.context;
  const before = { forward: 0, backward: 0, ...passes };
  scope(work);
  if (passes === undefined || standing === count) return;
  for (const way of ["forward", "backward"] as const)
    passes[way] = before[way] + ((passes[way] - before[way]) / count) * standing;
}

/** Takes rows, int64 (M), of every tensor of a state. */
export function rowsOf<State extends Readonly<Record<string, Tensor>>>(state: State, rows: Tensor): State {
  return Object.fromEntries(
    Object.entries(state).map(([name, all]) => [name, all.indexSelect(0, rows)]),
  ) as State;
}

/**
 * Repeats a run under the numbers from 0; a single one where nothing is random, since all would be the same.
 */
export function restartsOf<T>(times: number, random: boolean, run: (part: Part, restart: number) => T) {
  return Array.from({ length: random ? times : 1 }, (_, restart) => (part: Part) => run(part, restart));
}

/**
 * Runs attacks in turn and keeps the candidate of each image that comes closest to the goal. Closest is the
 * highest lead of a wanted class, so that a success beats any failure. A deterministic classifier's images
 * leave once they succeed.
 *
 * Against a randomized classifier the mean cross-entropy counts: the label's highest, or the target's lowest.
 * It is taken over `draws` draws that no run has seen, because one lucky draw is no success.
 */
export function worstOf(
  runs: readonly Run[],
  victim: Victim,
  images: Tensor,
  goal: Goal,
  draws: number,
): Tensor {
  const score = (part: Part, candidates: Tensor) => {
    const own = goalRows(goal, part.rows);
    const [loss, lead] = [lossOf("cross-entropy", own), leadOf(own)];
    const closeness = victim.randomized ? loss : (logits: Tensor) => beyondRounding(lead(logits), logits);
    return part.victim.meanLoss(candidates, own.labels, closeness, victim.randomized ? draws : 1);
  };
  const [first, ...others] = runs;
  const all = partOf(victim, images, goal.labels);
  const kept = first!(all);
  if (others.length === 0) return kept;
  const best = score(all, kept);
  for (const run of others) {
    const finished = scope(() => {
      const left = victim.randomized ? undefined : best.le(0).nonzero().flatten();
      if (left?.size === 0) return true;
      const part = partOf(victim, images, goal.labels, left);
      const candidates = run(part);
      const scores = score(part, candidates);
      const better = scores.gt(part.rows(best));
      replaceRows(kept, left, ops.where(better.reshape([-1, 1, 1, 1]), candidates, part.rows(kept)));
      replaceRows(best, left, ops.where(better, scores, part.rows(best)));
      return false;
    });
    if (finished) break;
  }
  return kept;
}

function replaceRows(all: Tensor, indices: Tensor | undefined, rows: Tensor): void {
  all.copy_(indices === undefined ? rows : all.indexCopy(0, indices, rows));
}
