import { perturbationLengths } from "../../attacks/geometry/perturbation-length.js";
import { type Attack, type Norm, type PassCounter, parseAttack } from "../../attacks/index.js";
import type { Batch } from "../../datasets/index.js";
import { deriveSeed, noGrad, type Seed, scope, type Tensor } from "../../engine/index.js";
import { checkLabels } from "../../nn/classifier.js";
import type { Call } from "../../options/call.js";
import { Answers } from "../answers.js";
import { verifyAdversarial } from "../verify.js";
import { type Player, playerOf, type Subject } from "./players.js";

/** One attack on one network, and the network that is shown its images. */
export interface Trial {
  /** The attack, or its text; "none" shows the clean images. */
  readonly attack: string | Attack;
  /** The attacked network. */
  readonly on: Player;
  /** The network that is shown the result: the audited one, or the attacked one itself. */
  readonly shownTo: Player;
  /** Goes by gradients of the audited network and by nothing else. */
  readonly whiteBox: boolean;
}

/** A trial on the audited network by its own gradients. */
export function whiteBox(attack: string | Attack): Trial {
  return { attack, on: "network", shownTo: "network", whiteBox: true };
}

/** A trial that goes by something else than gradients of the audited network alone. */
export function blackBox(attack: string | Attack, on: Player = "network"): Trial {
  return { attack, on, shownTo: "network", whiteBox: false };
}

/** The trial of an attack on the audited network, by gradients where the attack and all inside it go by them. */
export function claimTrial(attack: string | Attack): Trial {
  const { call, traits } = typeof attack === "string" ? parseAttack(attack) : attack;
  const innermost = (one: Call): boolean =>
    one.of === undefined ? parseAttack(one).traits.usesGradients : one.of.every(innermost);
  const byGradients = call.of === undefined ? traits.usesGradients : innermost(call);
  return byGradients ? whiteBox(attack) : blackBox(attack);
}

/** The attack of a trial; undefined where it shows the clean images. */
export function attackOf({ attack }: Trial): Attack | undefined {
  if (typeof attack !== "string") return attack;
  return attack === "none" ? undefined : parseAttack(attack);
}

/** Text that tells trials apart, with every option of the attack. */
export function trialLabel(trial: Trial): string {
  const { on, shownTo } = trial;
  const label = attackOf(trial)?.label ?? "clean";
  const where = on === "network" ? "" : ` on ${on}`;
  return shownTo === "network" ? `${label}${where}` : `${label}${where}, shown to ${shownTo}`;
}

/** What came of a trial on a batch of images: all of it numbers, kept as JSON. */
export interface TrialBatch {
  readonly count: number;
  /** Correct answers of each image in the even draws and in the odd ones. */
  readonly even: readonly number[];
  readonly odd: readonly number[];
  readonly majority: readonly number[];
  readonly draws: number;
  /** Length of each perturbation in the attack's norm; l-infinity where it has none. */
  readonly lengths: readonly number[];
  readonly norm: Norm;
  readonly passes: PassCounter;
  readonly seconds: number;
}

/** The outcome of a whole trial. */
export interface TrialResult {
  readonly trial: Trial;
  readonly label: string;
  readonly answers: Answers;
  readonly lengths: readonly number[];
  readonly norm: Norm;
  /** Passes of an image through the attacked network, the mean over images. */
  readonly passes: PassCounter;
  readonly seconds: number;
}

/** Runs a trial on a batch; `draws` is how often a randomized network answers. The images live as long as the caller's scope. */
export function runTrialBatch(
  subject: Subject,
  trial: Trial,
  { images, labels, imageIds }: Batch,
  { seed, draws }: { seed: Seed; draws: number },
): { images: Tensor; record: TrialBatch } {
  const began = performance.now();
  const [attacked, shownTo] = [playerOf(subject, trial.on), playerOf(subject, trial.shownTo)];
  checkLabels(attacked, images, labels);
  const passes = { forward: 0, backward: 0 };
  const attack = attackOf(trial);
  const label = trialLabel(trial);
  const shown = attack?.(attacked, images, labels, { seed: deriveSeed(seed, "attack"), imageIds, passes }) ?? images;
  if (attack !== undefined) verifyAdversarial(attack, images, shown);
  const answers = new Answers(images.shape[0]!, shownTo.randomized ? draws : 1);
  answers.add(shownTo, shown, labels, imageIds, deriveSeed(seed, "answers", label), 0, `under ${label}`);
  const norm = attack === undefined || attack.traits.norm === "none" ? "linf" : attack.traits.norm;
  const lengths = noGrad(() => scope(() => perturbationLengths(shown.sub(images), norm).toNumbers()));
  const [even, odd] = answers.halves;
  return {
    images: shown,
    record: {
      count: images.shape[0]!,
      even: [...even],
      odd: [...odd],
      majority: [...answers.majority],
      draws: answers.draws,
      lengths: [...lengths],
      norm,
      passes,
      seconds: (performance.now() - began) / 1000,
    },
  };
}

/** The outcome of a trial out of its batches, in order. */
export function joinBatches(trial: Trial, batches: readonly TrialBatch[]): TrialResult {
  const images = batches.reduce((sum, batch) => sum + batch.count, 0);
  const { draws, norm } = batches[0]!;
  const answers = new Answers(images, draws);
  answers.halves[0].set(batches.flatMap(({ even }) => even));
  answers.halves[1].set(batches.flatMap(({ odd }) => odd));
  answers.majority.set(batches.flatMap(({ majority }) => majority));
  const mean = (count: (batch: TrialBatch) => number) => batches.reduce((sum, b) => sum + count(b), 0) / images;
  return {
    trial,
    label: trialLabel(trial),
    answers,
    lengths: batches.flatMap(({ lengths }) => lengths),
    norm,
    passes: { forward: mean(({ passes }) => passes.forward), backward: mean(({ passes }) => passes.backward) },
    seconds: batches.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}
