import { existsSync } from "node:fs";
import type { Attack } from "../../../attacks/index.js";
import type { Dataset } from "../../../datasets/index.js";
import type { EvaluationOptions } from "../../../evaluation/index.js";
import type { Model } from "../../../models/index.js";
import { ballOf, usualAttacks } from "../../../training/index.js";
import { defensesOf } from "../../frame/inputs/input-options.js";
import { imagesFor, type ModelChoice, type OpenedModel, openModel } from "../../frame/inputs/model-from.js";
import { asUsage, UsageError } from "../../frame/usage-error.js";
import { noteUnfinished } from "../../frame/words/unfinished.js";
import { noteUnusualRadius } from "../../frame/words/usual-radius.js";
import type { EvaluateCommandOptions } from "./evaluate-options.js";

/** Model with the images, the attacks and the surrogate that it is evaluated with. */
export interface Subject {
  readonly opened: OpenedModel;
  readonly images: Dataset;
  readonly attacks: readonly Attack[];
  readonly surrogate?: Model | string | undefined;
}

/** Attacks in the ball that a run trained for, or at the radius that is usual for the images. */
function defaultAttacks({ run }: OpenedModel, images: Dataset): Attack[] {
  const ball = run === undefined ? undefined : asUsage(() => ballOf(run.config.method));
  const epsilon = ball?.epsilon ?? images.epsilon;
  if (epsilon !== undefined) return usualAttacks(epsilon, ball?.norm);
  throw new UsageError(`give --attack, such as 'pgd(epsilon=8/255)': ${images} has no usual radius`);
}

async function surrogateOf(given: EvaluateCommandOptions, { model }: OpenedModel, choice: ModelChoice) {
  const { surrogate } = given;
  if (surrogate === undefined) return undefined;
  const names = Object.keys(model.classifier().surrogates ?? {});
  if (names.includes(surrogate)) return surrogate;
  if (!existsSync(surrogate)) {
    const own = names.length === 0 ? "has none of its own" : `has ${names.join(", ")}`;
    throw new UsageError(
      `--surrogate ${surrogate}: model ${model.name} ${own}, and there is no such file or folder`,
    );
  }
  const other = await openModel(surrogate, { images: choice.images });
  noteUnfinished(other, "attacked");
  return other.model;
}

/** Opens a model with what it is evaluated with. */
export async function subjectOf(
  text: string,
  given: EvaluateCommandOptions,
  images: Dataset | undefined,
): Promise<Subject> {
  const choice = { ...given, images, defenses: defensesOf(given) };
  const opened = await openModel(text, choice);
  const shown = imagesFor(opened, text, images);
  noteUnfinished(opened, "evaluated");
  noteUnusualRadius(given.attack ?? [], shown);
  const attacks = given.attack ?? defaultAttacks(opened, shown);
  return { opened, images: shown, attacks, surrogate: await surrogateOf(given, opened, choice) };
}

/** Folder for the folders of evaluations of models that are no runs. */
export const evaluationsFolder = "evaluations";

/** Folder in which the folder of an evaluation's finished batches lies. */
export function evaluationParent({ out }: EvaluateCommandOptions, { opened: { run } }: Subject): string {
  return out ?? run?.path ?? evaluationsFolder;
}

/** Options of a subject's evaluation. */
export function evaluationOptions(
  { limit, draws, seed, batchSize, device, expectClean }: EvaluateCommandOptions,
  { attacks, surrogate }: Subject,
): EvaluationOptions {
  return { attacks, limit, draws, seed, batchSize, device, surrogate, expectClean };
}
