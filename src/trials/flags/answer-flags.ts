import type { Seed } from "../../base/index.js";
import { type Batch, partsOfBatch } from "../../datasets/index.js";
import { enableGrad, type Noise, noGrad, operators as ops, scope, type Tensor } from "../../engine/index.js";
import type { Classifier } from "../../nn/index.js";
import type { Flag } from "./flag.js";

/**
 * Change of a logit that counts, beyond what other orders of summation cause: a share of the largest lead of
 * an answer over the next, and of the logit itself. A constant that is added to all logits hides none.
 */
const noticeable = { ofLead: 1e-3, ofLogit: 1e-5 } as const;

/** The share of the lead where gradients are asked for: a faster graph for them rounds otherwise. */
const otherModel = 0.1;

/**
 * Share of images whose logits may change with the batch: the last bit of its input may flip a quantizer's
 * rounding.
 */
const flips = 0.1;

/** Images that a model is asked about, and the circumstances in which it is. */
interface Asking {
  readonly classifier: Classifier;
  readonly batch: Batch;
  /** Images that pass together, at most. */
  readonly size: number;
  readonly noise: Pick<Noise, "seed" | "draw">;
}

/** Logits of images that pass in parts. */
function answersTo(asking: Asking, answer: (images: Tensor, noise: Noise) => Tensor): Tensor {
  const { batch, size, noise } = asking;
  const parts = partsOfBatch(batch, size).map(({ images, imageIds }) =>
    scope(() => answer(images, { ...noise, imageIds }).detach()),
  );
  return ops.cat(parts, 0);
}

/** Logits without gradients, as those who use the model ask for them. */
export function logitsOf(asking: Asking): Tensor {
  return noGrad(() => answersTo(asking, (images, noise) => asking.classifier.logits(images, noise)));
}

/** Logits as attacks by gradients meet them; undefined for a classifier that gives them no pass. */
function logitsUnderAttack(asking: Asking): Tensor | undefined {
  const { classifier } = asking;
  try {
    return answersTo(asking, (images, noise) => {
      const input = images.detach().requireGrad();
      const pass = classifier.pass?.(input, noise);
      return pass?.logits ?? enableGrad(() => classifier.logits(input, noise));
    });
  } catch {
    // The attacks themselves tell of it.
    return undefined;
  }
}

/** Number of images whose logits are others. */
function rowsThatChange(before: Tensor, after: Tensor, ofLead: number = noticeable.ofLead): number {
  const [best] = before.topk(2, 1);
  const lead = best.select(1, 0).sub(best.select(1, 1)).amax().item();
  const limits = before
    .abs()
    .mul(noticeable.ofLogit)
    .add(ofLead * lead);
  return after.sub(before).abs().gt(limits).to("float32").amax([1]).sum().item();
}

/** Flag of images whose logits are all equal: they count as class 0, the first of them. */
function equalFlags(logits: Tensor, what: string): Flag[] {
  const count = logits.shape[0]!;
  const rows = logits.amax([1]).eq(logits.amin([1]));
  const equal = rows.to("float32").sum().item();
  if (equal <= flips * count) return [];
  const message =
    `all logits are equal for ${equal} of ${count} ${what}: the model does not tell them apart, and they ` +
    "count as class 0 (to abstain needs a class of its own)";
  return [{ kind: "equal-logits", message }];
}

/**
 * Faults of a model whose logits depend on more than the image and the draw: on earlier calls, the rest of
 * the batch, the image's number, or a gradient that is asked for. `what` the images are, such as "images".
 */
export function answerFlags(
  classifier: Classifier,
  batch: Batch,
  seed: Seed,
  batchSize: number,
  what = "images",
): Flag[] {
  return scope(() => {
    const asking: Asking = { classifier, batch, size: batchSize, noise: { seed, draw: 0 } };
    const before = logitsOf(asking);
    const count = batch.images.shape[0]!;
    const changedIn = (other: Partial<Asking>) =>
      scope(() => rowsThatChange(before, logitsOf({ ...asking, ...other })));
    const equal = equalFlags(before, what);
    const again = changedIn({});
    // The last bits of a device may flip a quantizer's rounding.
    if (again > (classifier.randomized ? flips * count : 0)) {
      // Nothing else can be told of answers that do not stay.
      return [
        ...equal,
        {
          kind: "hidden-randomness",
          message:
            `the same question about the same draw, asked twice, has other logits for ${again} of ${count} ` +
            `${what}: the model remembers earlier calls, or draws noise that is not counted; take its ` +
            "noise from the pass",
        },
      ];
    }
    const flags: Flag[] = [...equal];
    const inBatch = changedIn({ size: 1 });
    if (inBatch > Math.max(1, flips * count)) {
      flags.push({
        kind: "batch-dependent",
        message:
          `the logits of ${inBatch} of ${count} ${what} depend on the other images of the batch ` +
          "(minima and maxima or statistics over the batch?): accuracies hold for this batch size only",
      });
    }
    if (!classifier.randomized) {
      const others = { ...batch, imageIds: batch.imageIds.flip([0]) };
      if (changedIn({ noise: { seed, draw: 1 } }) > 0) {
        flags.push({
          kind: "hidden-randomness",
          message:
            "the model says that it is deterministic, but answers the same image differently: take its " +
            "noise from the pass, so that every draw is counted",
        });
      } else if (changedIn({ batch: others }) > 0) {
        flags.push({
          kind: "number-dependent",
          message:
            "the model says that it is deterministic, but its logits depend on the number of an image in " +
            "the data, by which it can know the label",
        });
      }
    }
    const attacked = logitsUnderAttack(asking);
    const underAttack = attacked === undefined ? 0 : rowsThatChange(before, attacked, otherModel);
    if (underAttack > Math.max(1, flips * count)) {
      flags.push({
        kind: "gradient-dependent",
        message:
          `the logits of ${underAttack} of ${count} ${what} are others where a gradient is asked for: ` +
          "attacks by gradients meet another model than the one that answers (dropout or batch statistics?)",
      });
    }
    return flags;
  });
}
