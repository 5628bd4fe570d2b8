import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { lossOption, mostSteps } from "../contract/options.js";
import { countingStanding, rowsOf } from "../contract/selection.js";
import type { Victim } from "../contract/victim.js";

/** Draws of a randomized classifier whose mean or majority is the answer to a query. */
export const queryDraws = z
  .int()
  .min(1)
  .max(mostSteps)
  .default(8)
  .describe("draws of a randomized classifier over which each answer is taken");

/** Queries of a gradient estimate. */
export const samplesOption = (value: number) =>
  z
    .int()
    .min(2)
    .max(mostSteps)
    .multipleOf(2)
    .default(value)
    .describe("queries of a gradient estimate, half of them each way");

/** Loss whose gradient is estimated. */
export const queryLoss = lossOption.default("margin").describe("loss whose gradient is estimated");

/** State of a search for M images: a row of each tensor belongs to one image. */
export interface SearchState {
  readonly images: Tensor;
  readonly labels: Tensor;
  /**
   * Best candidates so far, (M, C, H, W), and their margins (M): above 0 is misclassified. Both change in
   * place.
   */
  readonly adversarial: Tensor;
  readonly margins: Tensor;
}

/** New candidates for all rows, (M, C, H, W), with their margins (M). */
export interface Candidates {
  readonly candidates: Tensor;
  readonly margins: Tensor;
}

/** Acceptance of a step's candidates: of all, or of those with a higher margin. */
export type Acceptance = "all" | "better";

/**
 * Runs steps `first` .. `steps - 1` on those images that are not misclassified yet. A randomized classifier's
 * margins are means and never final, so all of its images stay. Changes `state` in place.
 *
 * A misclassified image is frozen at once, so its result never depends on others. It leaves the batch when an
 * eighth has.
 */
export function querySearch<State extends SearchState & Readonly<Record<string, Tensor>>>(
  victim: Victim,
  state: State,
  { first = 0, steps, accept }: { first?: number; steps: number; accept: Acceptance },
  step: (victim: Victim, state: State, step: number) => Candidates,
): void {
  const count = state.labels.size;
  for (let i = first; i < steps; i++) {
    const left = victim.randomized ? undefined : scope(() => state.margins.le(0).nonzero().flatten());
    if (left?.size === 0) return;
    if (left !== undefined && left.size <= 0.875 * count) {
      scope(() => {
        const part = rowsOf(state, left);
        querySearch(victim.rows(left), part, { first: i, steps, accept }, step);
        state.adversarial.indexCopy_(0, left, part.adversarial);
        state.margins.indexCopy_(0, left, part.margins);
      });
      left.dispose();
      return;
    }
    const standing = left?.size ?? count;
    left?.dispose();
    countingStanding(victim, standing, count, () =>
      keep(state, step(victim, state, i), accept, victim.randomized),
    );
  }
}

function keep(
  state: SearchState,
  { candidates, margins }: Candidates,
  accept: Acceptance,
  randomized: boolean,
): void {
  const better = accept === "better" ? margins.gt(state.margins) : undefined;
  const left = randomized ? undefined : state.margins.le(0);
  const taken = better && left ? better.logicalAnd(left) : (better ?? left);
  if (taken === undefined) {
    state.adversarial.copy_(candidates);
    state.margins.copy_(margins);
    return;
  }
  // Few rows of a random search change in a step: the others are not touched.
  const rows = taken.nonzero().flatten();
  if (rows.size === 0) return;
  state.adversarial.indexCopy_(0, rows, candidates.indexSelect(0, rows));
  state.margins.indexCopy_(0, rows, margins.indexSelect(0, rows));
}

/** Images that go through the classifier together, where batches are small. */
const imagesPerPass = 256;

/**
 * Number of copies of a batch of `count` images that go through the classifier together, of `wanted` in all.
 */
export function copiesPerPass(count: number, wanted: number): number {
  return Math.min(wanted, Math.max(1, Math.floor(imagesPerPass / count)));
}

/** Victim and labels of several copies of a batch, one after the other; each copy sees the same noise. */
export function copiesOf(victim: Victim, labels: Tensor, times: number): { victim: Victim; labels: Tensor } {
  const once = ops.arange(0, labels.size, 1, "int64", labels.device);
  const rows = ops.cat(Array.from({ length: times }, () => once));
  return { victim: victim.rows(rows), labels: labels.indexSelect(0, rows) };
}
