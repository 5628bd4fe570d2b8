import { createHash } from "node:crypto";
import type { Attack } from "../attacks/index.js";
import { packageVersion } from "../base/index.js";
import { contentHash, type Split, type TensorSplit } from "../datasets/index.js";
import type { OpenedModel, Player } from "../trials/index.js";
import { modelIdentity } from "./model-hash.js";

/** All that decides the numbers of an evaluation. */
export interface EvaluationSubject {
  readonly opened: OpenedModel;
  readonly surrogate: OpenedModel | undefined;
  /** Player that attacks run on. */
  readonly attacked: Player;
  readonly attacks: readonly Attack[];
  readonly split: Split;
  readonly data: TensorSplit;
  readonly seed: number;
  readonly draws: number;
}

/** The same by names that messages use. */
export function evaluationFacts({
  opened,
  surrogate,
  attacked,
  attacks,
  split,
  data,
  seed,
  draws,
}: EvaluationSubject): Readonly<Record<string, string | number>> {
  return {
    model: modelIdentity(opened, data),
    images: `${split.count} of ${split.name} ${contentHash(split).slice(0, 12)}`,
    attacks: attacks.map(String).join(", "),
    surrogate: surrogate === undefined ? attacked : modelIdentity(surrogate, data),
    draws,
    seed,
  };
}

/**
 * Name of the folder that keeps an evaluation's trials: `evaluation-<hash>`. The hash is of all that decides
 * the numbers, so that trials of another model, images, seed or version of sqa are never mixed in.
 */
export function evaluationName(facts: ReturnType<typeof evaluationFacts>): string {
  const hash = createHash("sha256").update(JSON.stringify([packageVersion(), facts]));
  return `evaluation-${hash.digest("hex").slice(0, 8)}`;
}
