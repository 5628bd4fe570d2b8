import { scope, type Tensor } from "../../engine/index.js";
import type { Target } from "../contract/target.js";

/** What an attack by queries carries along for M images: a row of each tensor belongs to one image. */
export interface Standing {
  readonly images: Tensor;
  readonly labels: Tensor;
  /** The best candidates so far, (M, C, H, W), and their margins (M): above 0 is misclassified. Both change in place. */
  readonly adversarial: Tensor;
  readonly margins: Tensor;
}

/** New candidates for all rows, (M, C, H, W), with their margins (M). */
export interface Candidates {
  readonly candidates: Tensor;
  readonly margins: Tensor;
}

/** Steps that take every row's new candidate, or only those of a higher margin. */
export type Acceptance = "all" | "better";

/**
 * Runs steps `first` .. `steps - 1` on the images of a deterministic network that are not misclassified yet, and on all of
 * a randomized one, whose margins are means that one image more or less does not make final. Changes `state` in place.
 *
 * A misclassified image is frozen at once and leaves the batch when an eighth has: its result never depends on the others.
 */
export function attackStanding<State extends Standing & Readonly<Record<string, Tensor>>>(
  target: Target,
  state: State,
  { first = 0, steps, accept }: { first?: number; steps: number; accept: Acceptance },
  step: (target: Target, state: State, step: number) => Candidates,
): void {
  const count = state.labels.size;
  for (let i = first; i < steps; i++) {
    const left = target.randomized ? undefined : scope(() => state.margins.le(0).nonzero().flatten());
    if (left?.size === 0) return;
    if (left !== undefined && left.size <= 0.875 * count) {
      scope(() => {
        const rows = Object.entries(state).map(([name, all]) => [name, all.indexSelect(0, left)] as const);
        const some = Object.fromEntries(rows) as State;
        attackStanding(target.rows(left), some, { first: i, steps, accept }, step);
        state.adversarial.indexCopy_(0, left, some.adversarial);
        state.margins.indexCopy_(0, left, some.margins);
      });
      left.dispose();
      return;
    }
    left?.dispose();
    scope(() => keep(state, step(target, state, i), accept, target.randomized));
  }
}

function keep(state: Standing, { candidates, margins }: Candidates, accept: Acceptance, randomized: boolean): void {
  const better = accept === "better" ? margins.gt(state.margins) : undefined;
  const standing = randomized ? undefined : state.margins.le(0);
  const taken = better && standing ? better.logicalAnd(standing) : (better ?? standing);
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
