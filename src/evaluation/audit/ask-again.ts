import type { TensorSplit } from "../../datasets/index.js";
import { scope } from "../../engine/index.js";
import { Answers, placesOf, type TrialResult, type TrialStore, trialSeeds } from "../../trials/index.js";
import type { AuditPlan, Repeated } from "./plan.js";

/**
 * Asks a model once more, in the same batches and draws, about at least so many images of a trial, the first
 * ones, and compares with the answers that were counted. Undefined where the trial got no answers.
 */
export function askAgain(
  { players: { model }, seed }: AuditPlan,
  { trial, answers, stops }: TrialResult,
  data: TensorSplit,
  { store, batchSize, images }: { readonly store: TrialStore; batchSize: number; images: number },
): Repeated | undefined {
  if (trial.shownTo !== "model" || stops.length > 0) return undefined;
  const places = placesOf(data.count, batchSize).filter(({ first }) => first < images);
  const changes = places.map((place) =>
    scope(() => {
      const batch = data.range(place.first, place.count);
      const shown = store.images(trial, place).to({ device: batch.images.device });
      const now = new Answers(place.count, answers.draws);
      now.count(model, { ...batch, images: shown }, trialSeeds(seed).answers(trial.id), "asked again");
      const before = answers.correct.slice(place.first);
      return now.correct.filter((count, i) => count !== before[i]).length;
    }),
  );
  return {
    images: places.reduce((sum, { count }) => sum + count, 0),
    changed: changes.reduce((sum, count) => sum + count, 0),
  };
}
