import { sizeOf } from "../../base/index.js";
import { operators as ops, type Tensor } from "../../engine/index.js";
import type { Norm } from "../contract/options.js";
import { type Ball, type NormGeometry, norms, sparseSign_ } from "../geometry/norms.js";

/** Position of a run of APGD: a row for each of M images in every tensor, all of which change in place. */
export interface Position {
  readonly images: Tensor;
  readonly labels: Tensor;
  readonly candidates: Tensor;
  readonly previous: Tensor;
  readonly gradient: Tensor;
  /** Points of highest loss so far, with their gradients and losses (M). */
  readonly best: Tensor;
  readonly bestGradient: Tensor;
  readonly bestLosses: Tensor;
}

/** Tensors of a rule's own, with a row for each image as well. */
export type StepState = Readonly<Record<string, Tensor>>;

/** Choice of the steps of a run. */
export interface StepRule {
  /** Radii in turn, as factors of epsilon, with the share of the steps that each has. */
  readonly stages: readonly { readonly factor: number; readonly share: number }[];
  /** `dense` says that the start is random, so that nothing is to be learned from it. */
  begin(position: Position, losses: Tensor, radius: number, dense: boolean): StepState;
  /** Returns the next candidates. */
  propose(state: Position & StepState, ball: Ball, step: number): Tensor;
  /**
   * Takes note of the losses (M) after a step; at a checkpoint, returns which images go back to their best,
   * bool (M).
   */
  observe(
    state: Position & StepState,
    losses: Tensor,
    step: number,
    steps: number,
    radius: number,
  ): Tensor | undefined;
}

/**
 * Steps after which runs in l-infinity and l2 may halve their step sizes (Croce and Hein 2020, section 3.2).
 */
export function checkpoints(steps: number): number[] {
  const least = Math.max(Math.floor(0.06 * steps), 1);
  const shorter = Math.max(Math.floor(0.03 * steps), 1);
  const found: number[] = [];
  let interval = Math.max(Math.floor(0.22 * steps), 1);
  for (let at = interval; at <= steps; at += interval) {
    found.push(at);
    interval = Math.max(interval - shorter, least);
  }
  return found;
}

/**
 * Steps with momentum, whose sizes halve where the loss has stopped rising (Croce and Hein 2020, algorithm
 * 1).
 */
const halving = (norm: NormGeometry): StepRule => ({
  stages: [{ factor: 1, share: 1 }],
  begin: ({ bestLosses }, losses, radius) => ({
    sizes: bestLosses.fullLike(2 * radius).reshape([-1, 1, 1, 1]),
    lastLosses: losses.clone(),
    rises: bestLosses.zerosLike(),
    bestAtCheck: bestLosses.clone(),
    halvedAtCheck: bestLosses.eq(bestLosses),
  }),
  propose({ candidates, previous, gradient, sizes }, ball, step) {
    const ahead = gradient.clone();
    norm.step_(ahead, candidates);
    ahead.mul_(sizes!);
    ahead.add_(candidates);
    ball.project_(ahead);
    if (step === 0) return ahead;
    const next = candidates.add(ahead.sub(candidates), 0.75).add(candidates.sub(previous), 0.25);
    ball.project_(next);
    return next;
  },
  observe({ bestLosses, sizes, lastLosses, rises, bestAtCheck, halvedAtCheck }, losses, step, steps) {
    rises!.add_(losses.gt(lastLosses!));
    lastLosses!.copy_(losses);
    const checks = checkpoints(steps);
    const check = checks.indexOf(step + 1);
    if (check < 0) return undefined;
    const interval = step + 1 - (checks[check - 1] ?? 0);
    const oscillates = rises!.le(0.75 * interval);
    const stuck = halvedAtCheck!.logicalNot().logicalAnd(bestAtCheck!.ge(bestLosses));
    const halved = oscillates.logicalOr(stuck);
    sizes!.copy_(ops.where(halved.reshape([-1, 1, 1, 1]), sizes!.div(2), sizes!));
    rises!.zero_();
    bestAtCheck!.copy_(bestLosses);
    halvedAtCheck!.copy_(halved);
    return halved;
  },
});

/**
 * Steps along few pixels' signs, as many as the best perturbation suggests (Croce and Hein 2021, algorithm
 * 2).
 */
const sparse: StepRule = {
  stages: [
    { factor: 3, share: 0.3 },
    { factor: 2, share: 0.3 },
    { factor: 1, share: 0.4 },
  ],
  begin({ images, candidates, bestLosses }, _, radius, dense) {
    const moved = movedPixels(images, candidates);
    const pixels = pixelsOf(images);
    return {
      sizes: bestLosses.fullLike(radius),
      shares: dense ? bestLosses.fullLike(0.2) : moved.div(pixels).div(1.5),
      movedAtCheck: dense ? bestLosses.fullLike(pixels) : moved,
    };
  },
  propose({ images, candidates, gradient, sizes, shares }, ball) {
    const pixels = pixelsOf(images);
    const passed = shares!
      .neg()
      .add(1)
      .mul(pixels)
      .floor()
      .clamp(0, pixels - 1);
    const next = gradient.clone();
    sparseSign_(next, passed.neg().add(pixels).to("int64").unsqueeze(1));
    next.mul_(sizes!.reshape([-1, 1, 1, 1]));
    next.add_(candidates);
    ball.project_(next);
    return next;
  },
  observe({ images, best, sizes, shares, movedAtCheck }, _, step, steps, radius) {
    const interval = Math.max(Math.floor(0.04 * steps), 1);
    if ((step + 1) % interval !== 0) return undefined;
    const moved = movedPixels(images, best);
    const sparser = moved.div(movedAtCheck!).lt(0.95);
    const sizesNow = ops.where(sparser, sizes!.fullLike(radius), sizes!.div(1.5));
    sizes!.copy_(sizesNow.clamp(radius / 10, radius));
    shares!.copy_(moved.div(pixelsOf(images)).div(1.5));
    movedAtCheck!.copy_(moved);
    return sparser;
  },
};

/** Rule of each norm. */
export const stepRules: Readonly<Record<Norm, StepRule>> = {
  linf: halving(norms.linf),
  l2: halving(norms.l2),
  l1: sparse,
};

function pixelsOf(images: Tensor): number {
  return sizeOf(images.shape.slice(1));
}

/** Number of elements of each image that have moved (M). */
// paper: AutoAttack's code also counts those that a projection, by rounding, leaves beside the image.
function movedPixels(images: Tensor, candidates: Tensor): Tensor {
  return candidates.ne(images).to("float32").sumDim([1, 2, 3]);
}
