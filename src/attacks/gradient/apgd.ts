import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import type { LossName } from "../../nn/index.js";
import { defineAttack } from "../contract/attack.js";
import {
  classesFault,
  type Goal,
  lossOf,
  lossOption,
  mostSteps,
  normOption,
  radiusFitsNorm,
  radiusOption,
  stepsOption,
} from "../contract/options.js";
import { clearlyWrong } from "../contract/passes.js";
import { countingStanding, restartsOf, rowsOf, selectionDraws, worstOf } from "../contract/selection.js";
import type { Victim } from "../contract/victim.js";
import { type Ball, norms } from "../geometry/norms.js";
import { type Position, type StepRule, type StepState, stepRules } from "./apgd-steps.js";

/** Options that APGD and its targeted form share. */
export const apgdOptions = {
  epsilon: radiusOption(0.3),
  steps: stepsOption(100),
  norm: normOption,
  start: z
    .enum(["random", "image"])
    .default("random")
    .describe("start on the ball's surface, or from the image itself"),
  restarts: z
    .int()
    .min(1)
    .max(mostSteps)
    .default(1)
    .describe("runs, of which each image's worst case is kept"),
  radii: z
    .enum(["auto", "constant", "shrinking"])
    .default("auto")
    .describe("radius over a run: epsilon, or shrinking from 3 times epsilon; auto shrinks in l1"),
  stopWhenFooled: z
    .boolean()
    .default(false)
    .describe("take a deterministic classifier's first error, not its worst: far fewer passes"),
  selectionDraws,
};

const options = z.strictObject({ ...apgdOptions, loss: lossOption }).refine(...radiusFitsNorm);

/** Options of a run. */
export type ApgdRun = Pick<
  z.output<typeof options>,
  "norm" | "epsilon" | "steps" | "start" | "radii" | "loss"
> & {
  readonly stopWhenFooled: boolean;
};

/**
 * Auto-PGD: steps from a random start that adapt to the course of the loss (Croce and Hein 2020, algorithm
 * 1). In l1 their number of pixels adapts (Croce and Hein 2021, algorithm 2). The candidate of highest loss
 * counts, and a misclassified one before any other.
 */
export const apgd = defineAttack("apgd", {
  summary: "PGD that adapts its step size to the loss, and keeps the point of highest loss",
  options,
  traits: ({ norm, epsilon, start }) => ({
    norm,
    radius: epsilon,
    usesGradients: true,
    randomized: start === "random",
  }),
  fault: ({ loss }, { classes }) => classesFault({ loss }, classes),
  run(options, victim, images, labels) {
    const random = options.start === "random" || victim.randomized;
    const runs = restartsOf(options.restarts, random, (part, restart) =>
      autoPgd(options, part.victim, part.images, { labels: part.labels }, restart),
    );
    return worstOf(runs, victim, images, { labels }, options.selectionDraws);
  },
});

/**
 * Results of a run so far: each image's candidate, its loss (M), and whether it is misclassified, bool (M).
 */
interface Kept {
  readonly kept: Tensor;
  readonly keptLosses: Tensor;
  readonly keptFooled: Tensor;
}

type State = Position & Kept & StepState;

/** Stage of a run, with its own radius and number of steps. */
interface Stage {
  readonly rule: StepRule;
  readonly loss: LossName;
  readonly radius: number;
  readonly steps: number;
  readonly ballOf: (images: Tensor) => Ball;
  /** Images leave the batch once misclassified. */
  readonly stops: boolean;
}

/**
 * Runs Auto-PGD once towards a goal; `restart` numbers the random start.
 *
 * The result is the candidate of highest loss; a deterministic classifier's error beats any other. A
 * randomized classifier's losses are as the victim shows them, and a single misclassified draw counts for
 * nothing.
 */
export function autoPgd(options: ApgdRun, victim: Victim, images: Tensor, goal: Goal, restart = 0): Tensor {
  const { epsilon, steps, loss, stopWhenFooled } = options;
  const [norm, rule] = [norms[options.norm], stepRules[options.norm]];
  const random = options.start === "random";
  const stages = stagesOf(options);
  const start = images.clone();
  if (random)
    scope(() =>
      start.add_(norm.surface(victim, images.shape.slice(1), stages[0]!.factor * epsilon, restart)),
    );
  let left = steps;
  for (const [i, { factor, share }] of stages.entries()) {
    const last = i + 1 === stages.length;
    const radius = factor * epsilon;
    const ballOf = (of: Tensor) => norm.ball(of, radius);
    const stageSteps = last ? left : Math.ceil(share * steps);
    left -= stageSteps;
    // An error in a larger ball may be none in the smaller one.
    const stops = last && stopWhenFooled && !victim.randomized;
    const stage: Stage = { rule, loss, radius, steps: stageSteps, ballOf, stops };
    scope(() => {
      ballOf(images).project_(start);
      const state = begin(stage, victim, images, start, goal, random && stages.length === 1);
      climb(stage, victim, state, 0);
      start.copy_(last ? state.kept : state.best);
    });
  }
  return start;
}

/** Radii of a run; too few steps for several stages make one. */
function stagesOf({ norm, steps, radii }: ApgdRun): StepRule["stages"] {
  const shrinking = radii === "auto" ? stepRules[norm].stages : stepRules.l1.stages;
  return radii === "constant" || steps < shrinking.length ? stepRules.linf.stages : shrinking;
}

function begin(
  { rule, loss, radius }: Stage,
  victim: Victim,
  images: Tensor,
  start: Tensor,
  { labels, target }: Goal,
  dense: boolean,
): State {
  const { gradient, logits, losses } = victim.gradient(start, lossOf(loss, { labels, target }));
  const position = {
    images,
    labels,
    ...(target && { target }),
    candidates: start.clone(),
    previous: start.clone(),
    gradient,
    best: start.clone(),
    bestGradient: gradient.clone(),
    bestLosses: losses.clone(),
    kept: start.clone(),
    keptLosses: losses.clone(),
    keptFooled: fooledOf(victim, logits, labels),
  };
  return { ...position, ...rule.begin(position, losses, radius, dense) };
}

/** Takes steps `first` and on of a stage; changes `state` in place. */
function climb(stage: Stage, victim: Victim, state: State, first: number): void {
  const { rule, loss, radius, steps, ballOf, stops } = stage;
  const ball = ballOf(state.images);
  const { labels, target } = state;
  for (let step = first; step < steps; step++) {
    let standing = labels.size;
    if (stops) {
      const left = scope(() => state.keptFooled.logicalNot().nonzero().flatten());
      if (left.size === 0) return;
      // Rows are worth their copies once a quarter has left.
      if (left.size <= 0.75 * labels.size) {
        climbOn(stage, victim, state, step, left);
        return;
      }
      standing = left.size;
      left.dispose();
    }
    countingStanding(victim, standing, labels.size, () => {
      const next = rule.propose(state, ball, step);
      state.previous.copy_(state.candidates);
      state.candidates.copy_(next);
      const { gradient, logits, losses } = victim.gradient(next, lossOf(loss, { labels, target }));
      state.gradient.copy_(gradient);
      keep(state, next, losses, fooledOf(victim, logits, labels), stops);
      const better = losses.gt(state.bestLosses);
      replace(state.best, next, better);
      replace(state.bestGradient, gradient, better);
      replace(state.bestLosses, losses, better);
      const back = rule.observe(state, losses, step, steps, radius);
      if (back === undefined) return;
      replace(state.candidates, state.best, back);
      replace(state.gradient, state.bestGradient, back);
    });
  }
}

/** Goes on with the rows `left` alone, which are not misclassified yet. */
function climbOn(stage: Stage, victim: Victim, state: State, step: number, left: Tensor): void {
  scope(() => {
    const part = rowsOf(state, left);
    climb(stage, victim.rows(left), part, step);
    state.kept.indexCopy_(0, left, part.kept);
  });
  left.dispose();
}

function keep(state: State, candidates: Tensor, losses: Tensor, fooled: Tensor, stops: boolean): void {
  const { kept, keptLosses, keptFooled } = state;
  const higher = losses.gt(keptLosses);
  const taken = stops
    ? keptFooled.logicalNot().logicalAnd(fooled.logicalOr(higher))
    : ops.where(fooled.eq(keptFooled), higher, fooled);
  replace(kept, candidates, taken);
  replace(keptLosses, losses, taken);
  keptFooled.copy_(keptFooled.logicalOr(fooled));
}

/** Tells, bool (M), where a deterministic classifier errs; of a randomized one, no single draw decides. */
function fooledOf(victim: Victim, logits: Tensor, labels: Tensor): Tensor {
  return victim.randomized ? labels.ne(labels) : clearlyWrong(logits, labels);
}

/** Puts others in the rows that `chosen`, bool (M), names. */
function replace(all: Tensor, others: Tensor, chosen: Tensor): void {
  const rows = chosen.reshape([-1, ...all.shape.slice(1).map(() => 1)]);
  all.copy_(ops.where(rows, others, all));
}
