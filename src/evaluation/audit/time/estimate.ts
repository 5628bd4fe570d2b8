import type { Attack, PassCounter } from "../../../attacks/index.js";
import { deriveSeed, isObject } from "../../../base/index.js";
import type { Batch, TensorSplit } from "../../../datasets/index.js";
import { enableGrad, grad, noGrad, operators as ops, scope, type Tensor } from "../../../engine/index.js";
import type { Classifier } from "../../../nn/index.js";
import { playerOf, stoppable, type Trial, type TrialStore } from "../../../trials/index.js";
import type { AuditPlan } from "../plan.js";
import { standInFor, unfoolable } from "./stand-in.js";

/**
 * Passes of an image that an attack on a classifier of this form takes at most. It is run on one that nothing
 * fools, which no attack leaves early, and on one that all but the image itself fools, which attacks by
 * decisions walk all the way to; the more passes of the two count.
 *
 * @param image (1, C, H, W) on the CPU
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
    const context = { seed: deriveSeed(plan.seed, "estimate"), passes };
    try {
      scope(() => {
        const [imageIds, labels] = [ops.zeros([1], "int64"), ops.zeros([1], "int64")];
        attack(stoppable(standInFor(attacked, leads), signal), image, labels, { ...context, imageIds });
      });
    } catch {
      // The trial itself will tell of the error; the signal is asked next.
    }
    return passes;
  };
  const standing = count(unfoolable);
  const { usesGradients, searchesToo } = attack.traits;
  if (usesGradients && searchesToo !== true) return standing;
  const fallen = count((images) =>
    images.sub(image).abs().amax([1, 2, 3]).lt(1e-6).mul(2).sub(1).unsqueeze(1),
  );
  return fallen.forward > standing.forward ? fallen : standing;
}

/**
 * Seconds of work: the median of as many runs as fit in a moment, since a busy machine makes single ones
 * long.
 */
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
 * Seconds of a pass of one image: forward, and forward and back. Reading a sum waits for a device to finish.
 */
function passSeconds(
  { players, seed }: AuditPlan,
  { images, imageIds }: Batch,
): { forward: number; both: number } {
  const { model } = players;
  const noise = { seed, draw: 0, imageIds };
  const forward = secondsOf(() => noGrad(() => scope(() => model.logits(images, noise).sum().item())));
  const both = secondsOf(() =>
    enableGrad(() =>
      scope(() => {
        const input = images.detach().requireGrad();
        grad(model.logits(input, noise).sum(), [input], { unused: "zeros" })[0]!.sum().item();
      }),
    ),
  );
  const count = images.shape[0]!;
  return { forward: forward / count, both: both / count };
}

/** Name of the store's note that holds passes which were counted before. */
const note = "passes";

/**
 * Passes by the attack's text and the form of what it attacks, as a store has noted them; those of others are
 * left out.
 */
function notedPasses(store: TrialStore | undefined): Map<string, PassCounter> {
  const noted = store?.readNote(note);
  const isCount = (value: unknown): value is PassCounter =>
    isObject(value) &&
    [value.forward, value.backward].every((passes) => Number.isFinite(passes) && Number(passes) >= 0);
  return new Map(
    Object.entries(isObject(noted) ? noted : {}).filter((entry): entry is [string, PassCounter] =>
      isCount(entry[1]),
    ),
  );
}

/**
 * Counts the passes of each attack, in turn, and yields after each, so that timers and signals get theirs. A
 * store keeps what was counted: thousands of queries take seconds even here, and an audit may be started many
 * times.
 */
export function* countPasses(
  plan: AuditPlan,
  data: TensorSplit,
  trials: readonly Trial[],
  store?: TrialStore,
  signal?: AbortSignal,
): Generator<void, ReadonlyMap<string, PassCounter>> {
  const counted = notedPasses(store);
  const none = { forward: 0, backward: 0 };
  const passes = new Map<string, PassCounter>();
  for (const trial of trials) {
    // Images of an earlier trial are shown and not made.
    const attack = trial.from === undefined ? trial.attack : undefined;
    const attacked = playerOf(plan.players, trial.on);
    const { inputShape, classes, randomized } = attacked;
    const form = `${inputShape.join("x")}, ${classes} classes${randomized ? ", randomized" : ""}`;
    const key = `${attack} on ${form}`;
    if (attack !== undefined && !counted.has(key)) {
      counted.set(
        key,
        scope(() => passesOf(plan, attack, attacked, data.range(0, 1).images.to({ device: "cpu" }), signal)),
      );
      store?.writeNote(note, Object.fromEntries(counted));
      yield;
    }
    passes.set(trial.id, attack === undefined ? none : counted.get(key)!);
  }
  return passes;
}

/**
 * Seconds that an image of each trial takes at most, by the trial's id: its attack's passes, times the time
 * of a pass of a sample of images. Images that are fooled early make it less.
 */
export function estimateSeconds(
  plan: AuditPlan,
  sample: Batch,
  trials: readonly Trial[],
  passes: ReadonlyMap<string, PassCounter>,
): ReadonlyMap<string, number> {
  const { forward, both } = passSeconds(plan, sample);
  return new Map(
    trials.map((trial) => {
      const taken = passes.get(trial.id)!;
      const answers = playerOf(plan.players, trial.shownTo).randomized ? plan.budget.draws : 1;
      return [trial.id, (taken.forward - taken.backward + answers) * forward + taken.backward * both];
    }),
  );
}
