import { FirstRankError, type Ranks, scope } from "../../engine/index.js";
import type { TrainingSession } from "../session.js";

/** Throws an Error on a rank where a fact of the run differs from the first rank's. */
export function checkSameFacts(ranks: Ranks, tell: () => Record<string, string>): void {
  if (ranks.size === 1) return;
  const facts = tell();
  const first = ranks.fromFirst(() => facts);
  const different = Object.keys(facts).find((name) => facts[name] !== first[name]);
  const what =
    different === undefined ? "" : `${different} ${facts[different]}, and rank 0 ${first[different]}`;
  refuseTogether(ranks, different === undefined ? undefined : `rank ${ranks.rank} has ${what}`);
}

/**
 * Throws an Error where a rank's weights are not those of the first, bit for bit: processors of two kinds may
 * round differently, and then would train two models.
 */
export function checkSameWeights({ model, ranks }: TrainingSession): void {
  if (ranks.size === 1) return;
  const values = [...model.module.state().values()];
  const own = scope(() => values.map((value) => value.detach().to("float64").sum().item()));
  const first = ranks.fromFirst(() => own);
  const same = own.every((sum, i) => Object.is(sum, first[i]));
  refuseTogether(ranks, same ? undefined : `the weights of rank ${ranks.rank} have drifted from rank 0's`);
}

/**
 * Does work that needs no other rank, on all of them, and throws on all where it throws on one. Of an error
 * that all have alike, the first one tells.
 */
export function alikeOnRanks<T>(ranks: Ranks, work: () => T): T {
  if (ranks.size === 1) return work();
  let done: { readonly value: T } | { readonly error: unknown };
  try {
    done = { value: work() };
  } catch (error) {
    done = { error };
  }
  const fault = "error" in done ? String(done.error) : undefined;
  const first = ranks.fromFirst(() => fault);
  const failed = ranks.any("error" in done);
  if (!ranks.isFirst && first !== undefined && (fault ?? first) === first) throw new FirstRankError(first);
  if ("error" in done) throw done.error;
  if (failed) throw new Error("another rank says why this run cannot go on");
  return done.value;
}

/** Throws on every rank where one has a fault, its own on that one. */
function refuseTogether(ranks: Ranks, fault: string | undefined): void {
  if (!ranks.any(fault !== undefined)) return;
  throw new Error(fault ?? "another rank says why this run cannot go on");
}
