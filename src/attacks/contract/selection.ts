import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { crossEntropy, margin } from "../../nn/losses.js";
import type { Attack } from "./attack.js";
import type { Target } from "./target.js";

/**
 * Proposes adversarial images (M, C, H, W) for the images (M, C, H, W), labels (M) and target it is given; `rows` takes
 * their part of what has a row for each of all the images.
 */
export type Proposal = (target: Target, images: Tensor, labels: Tensor, rows: (all: Tensor) => Tensor) => Tensor;

/** An attack as a proposal; runs of different `round` have unrelated noise. */
export function proposalOf(attack: Attack, round: number): Proposal {
  return (target, images, labels) => target.run(attack, images, labels, { round });
}

/** The number of draws that candidates against a randomized network are compared over. */
export const selectionDraws = z
  .int()
  .min(1)
  .default(8)
  .describe("draws of a randomized network that candidates are compared over");

/**
 * Runs proposals in turn and keeps the worst case of each image: its label's lowest margin, so that one misclassified
 * image beats any that is not. Against a randomized network, the highest mean cross-entropy over `draws` draws apart
 * from those that the proposals saw: one lucky draw is no success.
 *
 * A deterministic network's images that are misclassified already are spared the proposals that follow.
 */
export function worstProposal(
  proposals: readonly Proposal[],
  target: Target,
  images: Tensor,
  labels: Tensor,
  draws: number,
): Tensor {
  const score = (seen: Target, candidates: Tensor, ofLabels: Tensor) =>
    target.randomized
      ? seen.meanLoss(candidates, ofLabels, crossEntropy, draws)
      : seen.meanLoss(candidates, ofLabels, margin, 1);
  const [first, ...others] = proposals;
  const kept = first!(target, images, labels, (all) => all);
  if (others.length === 0) return kept;
  const best = score(target, kept, labels);
  for (const propose of others) {
    const finished = scope(() => {
      const left = target.randomized ? undefined : best.le(0).nonzero().flatten();
      if (left?.size === 0) return true;
      const part = (all: Tensor) => (left === undefined ? all : all.indexSelect(0, left));
      const partTarget = left === undefined ? target : target.rows(left);
      const candidates = propose(partTarget, part(images), part(labels), part);
      const scores = score(partTarget, candidates, part(labels));
      const better = scores.gt(part(best));
      const column = better.unsqueeze(1).unsqueeze(2).unsqueeze(3);
      replaceRows(kept, left, ops.where(column, candidates, part(kept)));
      replaceRows(best, left, ops.where(better, scores, part(best)));
      return false;
    });
    if (finished) break;
  }
  return kept;
}

function replaceRows(all: Tensor, indices: Tensor | undefined, rows: Tensor): void {
  all.copy_(indices === undefined ? rows : all.indexCopy(0, indices, rows));
}
