import * as z from "zod";
import { operators as ops, type Tensor } from "../../engine/index.js";
import { type LossName, losses, targetedLosses } from "../../nn/losses.js";
import type { Target } from "./target.js";

/** Where an attack leads: away from labels (N) and, in its targeted form, to `classes` (N). */
export interface Ends {
  readonly labels: Tensor;
  readonly classes?: Tensor | undefined;
}

/** Where the steps of an attack lead, and the loss that they go up. */
export interface Aim extends Ends {
  readonly loss: LossName;
}

/** The loss of logits (N, classes) -> (N) that leads to an aim. */
export function lossOf({ loss, labels, classes }: Aim): (logits: Tensor) => Tensor {
  if (classes === undefined) return (logits) => losses[loss](logits, labels);
  return (logits) => targetedLosses[loss](logits, labels, classes);
}

/** The aim of some of its images, whose rows `rows` takes. */
export function aimOf({ loss, labels, classes }: Aim, rows: (all: Tensor) => Tensor): Aim {
  return { loss, labels: rows(labels), classes: classes && rows(classes) };
}

/** Adversarial images, but the image as it was where its label is the class aimed at: nothing leads there. */
export function unlessAimedAtLabel({ labels, classes }: Ends, images: Tensor, adversarial: Tensor): Tensor {
  if (classes === undefined) return adversarial;
  return ops.where(classes.eq(labels).reshape([-1, 1, 1, 1]), images, adversarial);
}

export const lossOption = z
  .enum(Object.keys(losses) as [LossName, ...LossName[]])
  .default("cross-entropy")
  .describe("what the steps increase");

/** Whether an attack leads to a class, and to which. */
export const targetOption = z
  .union([z.enum(["none", "next", "least-likely"]), z.int().min(0)])
  .default("none")
  .describe("lead to a class: none, the next likely after the label, the least likely, or a number");

/** The same for attacks that had no targeted form at first, whose results without one are kept by their text. */
export const laterTargetOption = targetOption.meta({ quietDefault: true });

/**
 * The classes to lead to, int64 (N), never the label but where a number says so; undefined for "none". Likelihoods are
 * those of the clean images. RangeError for a class that the network does not have.
 */
export function classesOf(
  choice: z.output<typeof targetOption>,
  target: Target,
  images: Tensor,
  labels: Tensor,
): Tensor | undefined {
  if (choice === "none") return undefined;
  if (choice === "next") return likeliestOthers(target, images, labels, 1).select(1, 0);
  if (choice === "least-likely") {
    return target.logits(images).scatterValue(1, labels.unsqueeze(1), Number.POSITIVE_INFINITY).argmin(1);
  }
  if (choice >= target.classes) {
    throw new RangeError(`option "target" cannot be ${choice}: the network has classes 0 .. ${target.classes - 1}`);
  }
  return labels.fullLike(choice);
}

/** The `count` likeliest classes of clean images other than their labels, the likeliest first, int64 (N, count). */
export function likeliestOthers(target: Target, images: Tensor, labels: Tensor, count: number): Tensor {
  const others = target.logits(images).scatterValue(1, labels.unsqueeze(1), Number.NEGATIVE_INFINITY);
  const [, classes] = others.topk(count, 1);
  return classes;
}
