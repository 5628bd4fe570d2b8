import type { Attack, PassCounter } from "../../attacks/index.js";
import { deriveSeed } from "../../base/index.js";
import type { Batch } from "../../datasets/index.js";
import { enableGrad, grad, noGrad, operators as ops, scope, type Tensor } from "../../engine/index.js";
import type { Classifier } from "../../nn/classifier.js";
import { playerOf } from "../../trials/players.js";
import { stoppable } from "../../trials/stoppable.js";
import { attackOf, type Trial, trialLabel } from "../../trials/trial.js";
import type { AuditPlan } from "./check.js";

/**
 * A classifier that costs nothing and says class 0 where `leads` is 1, by far, and never where it is -1; with a slight slope
 * in every pixel. One draw is as another.
 */
function standIn(attacked: Classifier, leads: (images: Tensor) => Tensor): Classifier {
  const { inputShape, classes, randomized, substitutes } = attacked;
  const self: Classifier = {
    inputShape,
    classes,
    randomized,
    logits(images) {
      const slope = images.flatten(1).sumDim([1], true).mul(1e-3);
      const rest = slope.neg().expand([images.shape[0]!, classes - 1]);
      return ops.cat([slope.add(leads(images).mul(1e3)), rest], 1);
    },
  };
  const names = Object.keys(substitutes ?? {});
  return { ...self, substitutes: Object.fromEntries(names.map((name) => [name, self])) };
}

/**
 * Passes of an image that an attack on a network like this takes at most: the more of those on one that nothing fools, which
 * no attack leaves early, and on one that all but the image itself fools, which attacks by decisions walk all the way to.
 */
export function passesOf(
  plan: AuditPlan,
  attack: Attack,
  attacked: Classifier,
  image: Tensor,
  signal?: AbortSignal,
): PassCounter {
  const count = (leads: (images: Tensor) => Tensor) => {
    const passes = { forward: 0, backward: 0 };
    scope(() => {
      const context = { seed: deriveSeed(plan.seed, "estimate"), imageIds: ops.zeros([1], "int64"), passes };
      attack(stoppable(standIn(attacked, leads), signal), image, ops.zeros([1], "int64"), context);
    });
    return passes;
  };
  const unfoolable = count((images) => ops.ones([images.shape[0]!, 1]));
  const { usesGradients, searchesToo } = attack.traits;
  if (usesGradients && searchesToo !== true) return unfoolable;
  const foolable = count((images) => images.sub(image).abs().amax([1, 2, 3]).lt(1e-6).mul(2).sub(1).unsqueeze(1));
  return foolable.forward > unfoolable.forward ? foolable : unfoolable;
}

/** Seconds that work takes: the median of as many runs as fit in a moment, since a busy machine makes single ones long. */
function secondsOf(work: () => void): number {
  // The first run warms up caches.
  work();
  const seconds: number[] = [];
  const began = performance.now();
  do {
    const before = performance.now();
    work();
    seconds.push((performance.now() - before) / 1000);
  } while (performance.now() - began < 100);
  return seconds.sort((a, b) => a - b)[Math.floor(seconds.length / 2)]!;
}

/**
 * Seconds that an image of each trial takes at most, by the trial's label: its attack's passes, times what a pass of a sample
 * of images takes. Images that are fooled early make it less.
 */
export function estimateSeconds(
  plan: AuditPlan,
  { images, imageIds }: Batch,
  trials: readonly Trial[],
  signal?: AbortSignal,
): ReadonlyMap<string, number> {
  const { model } = plan.subject;
  const noise = { seed: plan.seed, draw: 0, imageIds };
  const forward = secondsOf(() => noGrad(() => scope(() => model.logits(images, noise))));
  const both = secondsOf(() =>
    enableGrad(() =>
      scope(() => {
        const input = images.detach().requireGrad();
        grad(model.logits(input, noise).sum(), [input]);
      }),
    ),
  );
  const count = images.shape[0]!;
  const image = images.slice(0, 0, 1);
  // Thousands of queries take seconds even here, so that no attack is counted twice.
  const counted = new Map<string, PassCounter>();
  return new Map(
    trials.map((trial) => {
      // Images of an earlier trial are shown and not made.
      const attack = trial.from === undefined ? attackOf(trial) : undefined;
      const attacked = playerOf(plan.subject, trial.on);
      const key = `${attack?.label} ${attacked.randomized}`;
      const passes =
        counted.get(key) ??
        (attack === undefined ? { forward: 0, backward: 0 } : passesOf(plan, attack, attacked, image, signal));
      counted.set(key, passes);
      const answers = playerOf(plan.subject, trial.shownTo).randomized ? plan.budget.draws : 1;
      const seconds = (passes.forward - passes.backward + answers) * forward + passes.backward * both;
      return [trialLabel(trial), seconds / count];
    }),
  );
}
