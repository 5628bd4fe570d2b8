import { deriveSeed, type Steps, Work } from "../base/index.js";
import { scope } from "../engine/index.js";
import {
  type Attackable,
  changedNothingFlag,
  type Flag,
  flagImages,
  flagsOf,
  gradientFlag,
  gradientImages,
  hasFailed,
  type ImageSource,
  playerOf,
  runTrials,
  type TrialResult,
} from "../trials/index.js";
import { type AttackEvaluation, type CleanEvaluation, type Evaluation, Summary } from "./evaluation.js";
import type { EvaluationOptions } from "./evaluation-options.js";
import { type EvaluationParts, withParts } from "./evaluation-parts.js";
import { checkExpectedClean } from "./expected-clean.js";

export type EvaluationEvent =
  /** Trials begin; `folder` keeps them, undefined where none was given. */
  | { readonly type: "begin"; readonly folder: string | undefined }
  /** Images that an attack has behind it; `attack` is its text, or "clean". */
  | { readonly type: "progress"; readonly attack: string; readonly done: number; readonly images: number }
  | { readonly type: "clean"; readonly clean: CleanEvaluation }
  /** Row of an attack that is through, or that ended in an error. */
  | { readonly type: "attack"; readonly attack: AttackEvaluation };

/**
 * Measures a model's accuracy on clean images and under attacks.
 *
 * A randomized model's accuracy is that of fresh draws, which no attack saw: the mean over draws and images,
 * with a 95 % interval by bootstrap over images. A deterministic model's interval is Wilson's. Adversarial
 * images are verified. Results do not depend on the batch size, unless the model does: then a flag says so.
 * An attack that ends in an error is a row with its error; the others go on.
 *
 * @param model a model, an architecture (built with seed 0) or a classifier
 * @param images a split such as `mnist().test`, or a data set, which means its test split
 * @throws TypeError or RangeError, before anything runs, for options that do not fit the model or the images
 * @example
 * const { clean, attacks } = await evaluate(model, mnist().test, { attacks: [pgd({ epsilon: 0.3 })] });
 */
export function evaluate(
  model: Attackable,
  images: ImageSource,
  options: EvaluationOptions,
): Work<EvaluationEvent, Evaluation> {
  return new Work(
    (signal) => withParts(model, images, options, signal, (parts) => evaluationSteps(parts, options)),
    options?.signal,
  );
}

/** Runs the trials of opened parts that are not kept yet, and makes the evaluation. */
export async function* evaluationSteps(
  { opened, attacks, attacked, data, players, trials, folder, given }: EvaluationParts,
  { seed = 0, expectClean }: EvaluationOptions,
): Steps<EvaluationEvent, Evaluation> {
  yield { type: "begin", folder };
  const { name } = opened;
  const summary = new Summary(players.model.randomized, deriveSeed(seed, "evaluation", "interval"));
  let cleanResult: TrialResult | undefined;
  const results: TrialResult[] = [];
  const rows: AttackEvaluation[] = [];
  for await (const event of runTrials(trials, data, given)) {
    if (event.type === "progress") {
      const { trial, done, images } = event;
      yield {
        type: "progress",
        attack: trial.attack === undefined ? "clean" : String(trial.attack),
        done,
        images,
      };
    } else if (cleanResult === undefined) {
      cleanResult = event.outcome as TrialResult;
      const measured = summary.clean(cleanResult);
      checkExpectedClean(expectClean, measured, { model: name, images: data.count });
      yield { type: "clean", clean: measured };
    } else {
      const row = summary.attack(event.outcome, cleanResult);
      rows.push(row);
      if (!hasFailed(event.outcome)) results.push(event.outcome);
      yield { type: "attack", attack: row };
    }
  }
  if (rows.length < attacks.length || cleanResult === undefined) return undefined;
  return {
    model: name,
    images: data.count,
    draws: cleanResult.answers.draws,
    clean: summary.clean(cleanResult),
    attacks: rows,
    worstCases: summary.worstCases(results, cleanResult),
    flags: [
      ...scope(() =>
        flagsOf(
          players.model,
          data.range(0, flagImages),
          deriveSeed(seed, "evaluation", "flags"),
          given.batchSize,
        ),
      ),
      ...attackFlags(results, cleanResult, { data, players, attacked, given }, seed),
      ...summary.flags(results, cleanResult),
    ],
  };
}

function attackFlags(
  results: readonly TrialResult[],
  { answers }: TrialResult,
  { data, players, attacked, given }: Pick<EvaluationParts, "data" | "players" | "attacked" | "given">,
  seed: number,
): Flag[] {
  const gradientSeed = deriveSeed(seed, "evaluation", "flags", "gradient");
  return scope(() => {
    const batch = data.range(0, gradientImages);
    const victim = playerOf(players, attacked);
    return results
      .flatMap((result) => [
        gradientFlag(result.trial.attack!, victim, batch, gradientSeed, given.batchSize),
        changedNothingFlag(result, answers),
      ])
      .filter((flag) => flag !== undefined);
  });
}
