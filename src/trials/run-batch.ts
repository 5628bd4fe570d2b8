import {
  type Norm,
  nearImages,
  type PassCounter,
  perturbationLengths,
  type SuitePart,
} from "../attacks/index.js";
import { deriveSeed, NotFiniteError, type Seed } from "../base/index.js";
import type { Batch } from "../datasets/index.js";
import { noGrad, scope, type Tensor, tensor } from "../engine/index.js";
import { type Classifier, checkLabels } from "../nn/index.js";
import type { Value } from "../options/index.js";
import { type BatchRecord, recordedAnswers, type Stop } from "./batch-record.js";
import { Answers } from "./counts/answers.js";
import { type Player, type Players, playerOf } from "./players.js";
import type { Trial } from "./trial.js";
import { verifyAdversarial } from "./verify.js";

/** Seeds of trials' noise: all attacks share one, and answers never use a draw that an attack saw. */
export interface TrialSeeds {
  readonly attack: Seed;
  answers(id: string): Seed;
}

/** Seeds of trials for a purpose, such as "evaluation". */
export function trialSeeds(seed: Seed | number, ...purpose: readonly string[]): TrialSeeds {
  return {
    attack: deriveSeed(seed, ...purpose, "attack"),
    answers: (id) => deriveSeed(seed, ...purpose, "answers", id),
  };
}

/** Batch of the earlier trial that another continues, or takes its images from. */
export interface Earlier {
  readonly images: Tensor;
  /** Correct answers to each image. */
  readonly correct: readonly number[];
  /** Passes that the batch took. */
  readonly passes: PassCounter;
  /** Fault by which its attack gave no images. */
  readonly stop?: Stop | undefined;
}

/** Circumstances of a batch. */
export interface BatchRun {
  readonly players: Players;
  /** Draws in which a randomized player answers each image. */
  readonly draws: number;
  readonly seeds: TrialSeeds;
  readonly earlier?: Earlier | undefined;
  /** Called after each attack of a suite such as AutoAttack. */
  readonly onPart?: ((part: SuitePart) => void) | undefined;
}

/** Outcome of a batch. */
export interface BatchOutcome {
  /** Images under attack, which live as long as the caller's scope. */
  readonly images: Tensor;
  readonly record: BatchRecord;
  /** Class that each image is most often given; none where the answers are not finite. */
  readonly predicted: readonly number[];
}

/**
 * Runs a trial on a batch: attacks, verifies the images and counts answers. NaN and infinities end in the
 * record's `stop`; any other error of the attack is thrown.
 */
export function runBatch(trial: Trial, batch: Batch, run: BatchRun): BatchOutcome {
  const began = performance.now();
  const { players, draws, seeds, earlier, onPart } = run;
  const { attack, from } = trial;
  const [attacked, shownTo] = [playerOf(players, trial.on), playerOf(players, trial.shownTo)];
  const { images } = batch;
  checkLabels(attacked, images, batch.labels);
  // Images of an earlier trial took the passes that it took.
  const passes = from === undefined ? { forward: 0, backward: 0 } : { ...earlier!.passes };
  // Where that was stopped, they are not what its attack would find.
  let stop = from === undefined ? undefined : earlier!.stop;
  const unlessStopped = <T>(player: Player, work: () => T, otherwise: T): T => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      stop ??= { what: error.what, message: error.message, player };
      return otherwise;
    }
  };
  const attackPart = (part: Batch): Tensor => {
    const context = { seed: seeds.attack, imageIds: part.imageIds, passes, ...(onPart && { onPart }) };
    return attack?.(attacked, part.images, part.labels, context) ?? part.images;
  };
  const shown =
    from === undefined
      ? unlessStopped(
          gradientsOf(trial),
          () => continued(batch, attacked, earlier, attackPart),
          earlier?.images ?? images,
        )
      : nearImages(images, earlier!.images, attack!.traits.norm as Norm, attack!.traits.radius!);
  if (attack !== undefined) verifyAdversarial(attack, images, shown);
  const newAnswers = () => new Answers(images.shape[0]!, shownTo.randomized ? draws : 1);
  const situation = attack === undefined ? "on clean images" : `under ${trial.id}`;
  const { answers, predicted } = unlessStopped<{ answers: Answers; predicted: readonly number[] }>(
    trial.shownTo,
    () => {
      const counted = newAnswers();
      const seed = seeds.answers(trial.id);
      const given = counted.count(shownTo, { ...batch, images: shown }, seed, situation);
      return { answers: counted, predicted: given };
    },
    { answers: newAnswers(), predicted: [] },
  );
  const norm = attack === undefined || attack.traits.norm === "none" ? "linf" : attack.traits.norm;
  const lengths = noGrad(() => scope(() => perturbationLengths(shown.sub(images), norm).toNumbers()));
  return {
    images: shown,
    predicted,
    record: {
      ...recordedAnswers(answers),
      lengths: [...lengths],
      norm,
      passes,
      seconds: (performance.now() - began) / 1000,
      ...(stop === undefined ? {} : { stop }),
    },
  };
}

/**
 * Player whose numbers an attack meets: the surrogate that it, or all inside it, takes gradients through,
 * else the attacked one.
 */
function gradientsOf({ attack, on }: Trial): Player {
  const through = attack && throughOf(attack);
  return through === undefined ? on : `surrogate:${through}`;
}

/** Surrogate that an attack takes gradients through, or that all inside it do. */
function throughOf({ options, inside }: Value): string | undefined {
  const { through } = options as { readonly through?: unknown };
  if (typeof through === "string") return through;
  const [first, ...others] = inside.map(throughOf);
  return others.every((other) => other === first) ? first : undefined;
}

/** Attacks the images of a batch that the earlier trial did not turn; all of them where there is none. */
function continued(
  batch: Batch,
  attacked: Classifier,
  earlier: Earlier | undefined,
  attackPart: (part: Batch) => Tensor,
): Tensor {
  if (earlier === undefined || attacked.randomized) return attackPart(batch);
  const standing = earlier.correct.flatMap((correct, i) => (correct > 0 ? [i] : []));
  if (standing.length === 0) return earlier.images;
  return scope(() => {
    const rows = tensor(standing, [standing.length], "int64").to({ device: batch.images.device });
    const part = (all: Tensor) => all.indexSelect(0, rows);
    const found = attackPart({
      images: part(batch.images),
      labels: part(batch.labels),
      imageIds: part(batch.imageIds),
    });
    return earlier.images.indexCopy(0, rows, found);
  });
}
