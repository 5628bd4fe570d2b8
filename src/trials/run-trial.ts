import { nearImages } from "../attacks/combinators/within.js";
import { perturbationLengths } from "../attacks/geometry/perturbation-length.js";
import type { Attack, Norm, PassCounter } from "../attacks/index.js";
import { deriveSeed, NotFiniteError, type Seed } from "../base/index.js";
import type { Batch } from "../datasets/index.js";
import { noGrad, scope, type Tensor, tensor } from "../engine/index.js";
import { type Classifier, checkLabels } from "../nn/classifier.js";
import { Answers } from "./answers.js";
import { type Player, playerOf, type Subject } from "./players.js";
import { attackOf, type Trial, trialLabel } from "./trial.js";
import { keptAnswers, type Stop, type TrialBatch } from "./trial-result.js";
import { verifyAdversarial } from "./verify.js";

/**
 * What the trial that another goes on from, or takes its images from, showed of a batch; in how many draws each image was
 * answered correctly; and the passes that the batch took.
 */
export interface Earlier {
  readonly images: Tensor;
  readonly correct: readonly number[];
  readonly passes: PassCounter;
}

/** Runs a trial on a batch; `draws` is how often a randomized network answers. The images live as long as the caller's scope. */
export function runTrialBatch(
  subject: Subject,
  trial: Trial,
  batch: Batch,
  { seed, draws, earlier }: { seed: Seed; draws: number; earlier?: Earlier | undefined },
): { images: Tensor; record: TrialBatch } {
  const began = performance.now();
  const [attacked, shownTo] = [playerOf(subject, trial.on), playerOf(subject, trial.shownTo)];
  const { images, labels, imageIds } = batch;
  checkLabels(attacked, images, labels);
  // What an earlier trial took to find the images is what these took.
  const passes = trial.from === undefined ? { forward: 0, backward: 0 } : { ...earlier!.passes };
  let stop: Stop | undefined;
  const unlessStopped = <T>(player: Player, work: () => T, otherwise: T): T => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      stop ??= { what: error.what, message: error.message, player };
      return otherwise;
    }
  };
  const attack = attackOf(trial);
  const label = trialLabel(trial);
  const run = (part: Batch): Tensor =>
    attack?.(attacked, part.images, part.labels, {
      seed: deriveSeed(seed, "attack"),
      imageIds: part.imageIds,
      passes,
    }) ?? part.images;
  const shown =
    trial.from === undefined
      ? unlessStopped(blamedFor(trial), () => goOn(batch, attacked, earlier, run), earlier?.images ?? images)
      : taken(attack!, batch, earlier!);
  if (attack !== undefined) verifyAdversarial(attack, images, shown);
  const count = images.shape[0]!;
  const newAnswers = () => new Answers(count, shownTo.randomized ? draws : 1);
  const situation = attack === undefined ? "on clean images" : `under ${label}`;
  const answers = unlessStopped(
    trial.shownTo,
    () => {
      const counted = newAnswers();
      counted.add(shownTo, shown, labels, imageIds, deriveSeed(seed, "answers", label), 0, situation);
      return counted;
    },
    newAnswers(),
  );
  const norm = attack === undefined || attack.traits.norm === "none" ? "linf" : attack.traits.norm;
  const lengths = noGrad(() => scope(() => perturbationLengths(shown.sub(images), norm).toNumbers()));
  return {
    images: shown,
    record: {
      ...keptAnswers(answers),
      lengths: [...lengths],
      norm,
      passes,
      seconds: (performance.now() - began) / 1000,
      ...(stop === undefined ? {} : { stop }),
    },
  };
}

/** Whose numbers an attack meets: those of the substitute whose gradients it takes, where it does, else of the attacked network. */
function blamedFor(trial: Trial): Player {
  const { name, options } = attackOf(trial)?.call ?? {};
  return name === "backward" ? `substitute:${options!.through}` : trial.on;
}

/** The earlier trial's images of a batch that lie within an attack's radius; the clean ones in place of the others. */
function taken({ traits }: Attack, { images }: Batch, earlier: Earlier): Tensor {
  return nearImages(images, earlier.images, traits.norm as Norm, traits.radius!);
}

/** Attacks those images of a batch that the earlier trial has left; all of them where there is none. */
function goOn(batch: Batch, attacked: Classifier, earlier: Earlier | undefined, run: (part: Batch) => Tensor): Tensor {
  if (earlier === undefined || attacked.randomized) return run(batch);
  const left = earlier.correct.flatMap((correct, i) => (correct > 0 ? [i] : []));
  if (left.length === 0) return earlier.images;
  return scope(() => {
    const rows = tensor(left, [left.length], "int64");
    const part = (all: Tensor) => all.indexSelect(0, rows);
    const found = run({ images: part(batch.images), labels: part(batch.labels), imageIds: part(batch.imageIds) });
    return earlier.images.indexCopy(0, rows, found);
  });
}
