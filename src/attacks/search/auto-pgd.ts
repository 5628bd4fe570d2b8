import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { type Aim, lossOf } from "../contract/aim.js";
import type { Norm } from "../contract/attack.js";
import type { Target } from "../contract/target.js";
import { norms } from "../geometry/norms.js";
import { type Pace, type StepRule, stepRules, type Walk } from "./auto-pgd-rules.js";

/** What a run of APGD is told. */
export interface AutoPgdOptions {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly steps: number;
  /** A random point on the ball's surface, or the image itself. */
  readonly start: "random" | "image";
  /** The radius over a run: always epsilon, or first larger; `auto` is what the norm's paper does. */
  readonly radii: "auto" | "constant" | "shrinking";
  /** Against a deterministic network: an image's first misclassified candidate is its result. */
  readonly stopWhenFooled: boolean;
}

/** What a run keeps of each image: the result so far, its loss (M), and whether it is misclassified, bool (M). */
interface Kept {
  readonly kept: Tensor;
  readonly keptLosses: Tensor;
  readonly keptFooled: Tensor;
}

type State = Walk & Kept & Pace;

/** A stage of a run, its radius and steps, seen by some of the images. */
interface Stage {
  readonly rule: StepRule;
  readonly norm: Norm;
  readonly loss: Aim["loss"];
  readonly radius: number;
  readonly steps: number;
  /** Images leave the batch once misclassified. */
  readonly stops: boolean;
}

/**
 * One run of Auto-PGD (Croce and Hein 2020, algorithm 1; in l1, Croce and Hein 2021, algorithm 2): gradient steps whose
 * sizes adapt to how the loss goes. `restart` numbers the random start.
 *
 * The result is the candidate of highest loss. Of a deterministic network, a misclassified one before any other; a
 * randomized network's losses are as the target shows them, and one misclassified draw counts for nothing.
 */
export function autoPgd(options: AutoPgdOptions, target: Target, images: Tensor, aim: Aim, restart = 0): Tensor {
  const { norm, epsilon, steps, stopWhenFooled } = options;
  const rule = stepRules[norm];
  const stages = stagesOf(options);
  const start = images.clone();
  if (options.start === "random") {
    scope(() => start.add_(norms[norm].surface(target, images.shape.slice(1), stages[0]!.factor * epsilon, restart)));
  }
  let left = steps;
  for (const [i, { factor, share }] of stages.entries()) {
    const last = i + 1 === stages.length;
    const stage: Stage = {
      rule,
      norm,
      loss: aim.loss,
      radius: factor * epsilon,
      steps: last ? left : Math.ceil(share * steps),
      // What fools in a larger ball may not fool in the smaller one.
      stops: last && stopWhenFooled && !target.randomized,
    };
    left -= stage.steps;
    scope(() => {
      norms[norm].ball(images, stage.radius).project_(start);
      const state = begin(stage, target, images, start, aim, options.start === "random" && stages.length === 1);
      climb(stage, target, state, 0);
      start.copy_(last ? state.kept : state.best);
    });
  }
  return start;
}

/** The radii of a run; too few steps for several make one. */
function stagesOf({ norm, steps, radii }: AutoPgdOptions): StepRule["stages"] {
  const shrinking = radii === "auto" ? stepRules[norm].stages : stepRules.l1.stages;
  return radii === "constant" || steps < shrinking.length ? stepRules.linf.stages : shrinking;
}

function begin(
  { rule, loss, radius }: Stage,
  target: Target,
  images: Tensor,
  start: Tensor,
  { labels, classes }: Aim,
  dense: boolean,
): State {
  const { gradient, logits, losses } = target.gradient(start, lossOf({ loss, labels, classes }));
  const walk = {
    images,
    labels,
    ...(classes && { classes }),
    candidates: start.clone(),
    previous: start.clone(),
    gradient,
    best: start.clone(),
    bestGradient: gradient.clone(),
    bestLosses: losses.clone(),
    kept: start.clone(),
    keptLosses: losses.clone(),
    keptFooled: fooledOf(target, logits, labels),
  };
  return { ...walk, ...rule.begin(walk, losses, radius, dense) };
}

/** Steps `first` and on of a stage; changes `state` in place. */
function climb(stage: Stage, target: Target, state: State, first: number): void {
  const { rule, loss, radius, steps, stops } = stage;
  const ball = norms[stage.norm].ball(state.images, radius);
  const count = state.labels.size;
  for (let step = first; step < steps; step++) {
    if (stops) {
      const standing = scope(() => state.keptFooled.logicalNot().nonzero().flatten());
      if (standing.size === 0) return;
      // Rows are worth their copies once a quarter has left.
      if (standing.size <= 0.75 * count) {
        climbOn(stage, target, state, step, standing);
        return;
      }
      standing.dispose();
    }
    scope(() => {
      const next = rule.propose(state, ball, step);
      state.previous.copy_(state.candidates);
      state.candidates.copy_(next);
      const { labels, classes } = state;
      const { gradient, logits, losses } = target.gradient(next, lossOf({ loss, labels, classes }));
      state.gradient.copy_(gradient);
      keep(state, next, losses, fooledOf(target, logits, labels), stops);
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

/** Goes on with those rows alone that are not misclassified yet. */
function climbOn(stage: Stage, target: Target, state: State, step: number, standing: Tensor): void {
  scope(() => {
    const rows = Object.entries(state).map(([name, all]) => [name, all.indexSelect(0, standing)] as const);
    const some = Object.fromEntries(rows) as State;
    climb(stage, target.rows(standing), some, step);
    state.kept.copy_(state.kept.indexCopy(0, standing, some.kept));
  });
  standing.dispose();
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

/** Whether a deterministic network errs, bool (M); of a randomized one, no single draw decides. */
function fooledOf(target: Target, logits: Tensor, labels: Tensor): Tensor {
  return target.randomized ? labels.ne(labels) : logits.argmax(1).ne(labels);
}

/** Puts others in the rows that `chosen`, bool (M), names. */
function replace(all: Tensor, others: Tensor, chosen: Tensor): void {
  const rows = chosen.reshape([-1, ...all.shape.slice(1).map(() => 1)]);
  all.copy_(ops.where(rows, others, all));
}
