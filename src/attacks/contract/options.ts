import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { type LossName, losses, margin, targetedLosses } from "../../nn/index.js";
import { grayLevels, ratio } from "../../options/index.js";
import { beyondRounding } from "./passes.js";
import type { Victim } from "./victim.js";

/** Norm of perturbations. */
export type Norm = "linf" | "l2" | "l1";

export const normOption = z
  .enum(["linf", "l2", "l1"])
  .default("linf")
  .describe("norm of the radius and of a step");

/** Largest radius or step: float32 holds the squares of far more. */
const largest = 1e6;

/** Numbers that are radii in some norm. */
export const radius = ratio({ above: 0, max: largest });

/** Radius of a ball in any norm; see `radiusFitsNorm`. */
export const radiusOption = (value: number) =>
  radius.default(value).describe("radius in the norm, pixels in [0, 1]");

/** Radius of an l-infinity ball. More than 1 would be gray levels, written without their /255. */
export const linfRadius = (value: number) =>
  ratio({ above: 0, max: 1 })
    .default(value)
    .describe("l-infinity radius, pixels in [0, 1]")
    .meta({ hint: grayLevels });

/** Complaint about a radius in a norm; undefined where it is one. */
export const radiusFault = (norm: Norm, epsilon: number): string | undefined =>
  norm === "linf" && epsilon > 1 ? `an l-infinity radius is at most 1; ${grayLevels}` : undefined;

/** Arguments of `.refine` for options with `norm` and `epsilon`. */
export const radiusFitsNorm: [
  (options: { norm: Norm; epsilon: number | "none" }) => boolean,
  { path: string[]; message: string },
] = [
  ({ norm, epsilon }) => epsilon === "none" || radiusFault(norm, epsilon) === undefined,
  { path: ["epsilon"], message: radiusFault("linf", 2)! },
];

/** More runs of an attack, or steps of one, than anyone waits for. */
export const mostSteps = 10_000_000;

export const stepsOption = (value: number) =>
  z.int().min(1).max(mostSteps).default(value).describe("number of steps");

/** Length of a step; `otherwise` says what an attack takes in place of an option that is left out. */
export const stepSizeOption = (otherwise: string) =>
  ratio({ above: 0, max: largest })
    .optional()
    .describe(`length of a step in the norm (default: ${otherwise})`);

export const lossOption = z
  .enum(Object.keys(losses) as [LossName, ...LossName[]])
  .default("cross-entropy")
  .describe("loss that the steps increase");

/** Choice of the labels that an attack leads away from. */
export const labelsOption = z
  .enum(["given", "predicted"])
  .default("given")
  .describe("labels to lead away from: the given, true ones, or those of a prediction, which leak nothing");
export type LabelsChoice = z.output<typeof labelsOption>;

/**
 * Labels to lead away from, int64 (N): the true ones, or one draw's predictions (Kurakin et al. 2017, section
 * 3).
 */
export function labelsFrom(choice: LabelsChoice, victim: Victim, images: Tensor, labels: Tensor): Tensor {
  return choice === "given" ? labels : scope(() => victim.logits(images).argmax(1));
}

/** Choice of the class that an attack aims for. */
export const targetOption = z
  .union([z.enum(["none", "next", "least-likely"]), z.int().min(0)])
  .default("none")
  .describe("class to aim for: none, the likeliest other class, the least likely, or a number");
export type TargetChoice = z.output<typeof targetOption>;

/** Complaint about a target or a loss that does not go with a number of classes; undefined where both do. */
export function classesFault(
  { loss = "margin", target = "none" }: { loss?: LossName; target?: TargetChoice },
  classes: number,
): string | undefined {
  if (typeof target === "number" && target >= classes) {
    return `option "target" cannot be ${target}; accepted: the classes 0 .. ${classes - 1}`;
  }
  const needed = target === "none" ? 3 : 4;
  if (loss !== "dlr" || classes >= needed) return undefined;
  const form = target === "none" ? "it" : "its targeted form";
  const needs = `${form} needs ${needed} classes or more, and the classifier has ${classes}`;
  return `option "loss" cannot be dlr: ${needs}; take loss=margin`;
}

/** Goal of an attack: another class than the labels (N), or in its targeted form the classes `target` (N). */
export interface Goal {
  readonly labels: Tensor;
  readonly target?: Tensor | undefined;
}

/**
 * Goal of images with labels (N). A chosen target is never the label, unless it is a number; likelihoods are
 * those of the clean images. RangeError for a class that the classifier does not have.
 */
export function goalOf(choice: TargetChoice, victim: Victim, images: Tensor, labels: Tensor): Goal {
  if (choice === "none") return { labels };
  const fault = classesFault({ target: choice }, victim.classes);
  if (fault !== undefined) throw new RangeError(fault);
  if (typeof choice === "number") return { labels, target: labels.fullLike(choice) };
  if (choice === "next") return { labels, target: likeliestOthers(victim, images, labels, 1).select(1, 0) };
  const others = victim.ranking(images).scatterValue(1, labels.unsqueeze(1), Number.POSITIVE_INFINITY);
  return { labels, target: others.argmin(1) };
}

/** Likeliest classes of clean images other than their labels, int64 (N, count), the likeliest first. */
export function likeliestOthers(victim: Victim, images: Tensor, labels: Tensor, count: number): Tensor {
  const others = victim.ranking(images).scatterValue(1, labels.unsqueeze(1), Number.NEGATIVE_INFINITY);
  const [, classes] = others.topk(count, 1);
  return classes;
}

/** Goal of some of the images, whose rows `rows` takes. */
export function goalRows({ labels, target }: Goal, rows: (all: Tensor) => Tensor): Goal {
  return { labels: rows(labels), target: target && rows(target) };
}

/** Loss of logits (N, classes), (N), that grows towards a goal. */
export function lossOf(loss: LossName, { labels, target }: Goal): (logits: Tensor) => Tensor {
  if (target === undefined) return (logits) => losses[loss](logits, labels);
  return (logits) => targetedLosses[loss](logits, labels, target);
}

/**
 * Lead of a wanted class in logits (N, classes), as (N). It is that of the best other class over the label,
 * or of the target over the best other (Carlini and Wagner 2017, minus f6).
 */
export function leadOf({ labels, target }: Goal): (logits: Tensor) => Tensor {
  if (target === undefined) return (logits) => margin(logits, labels);
  return (logits) => margin(logits, target).neg();
}

/**
 * Tells, bool (N), where a wanted class leads by more than `kappa` logits, as `Victim.mostly` judges. A lead
 * within rounding is none. The `logits` at hand of a deterministic classifier spare it a pass.
 */
export function reaches(
  goal: Goal,
  victim: Victim,
  candidates: Tensor,
  { kappa = 0, logits }: { kappa?: number; logits?: Tensor } = {},
): Tensor {
  const lead = leadOf(goal);
  const leads = (z: Tensor) => beyondRounding(lead(z), z).gt(kappa);
  if (logits !== undefined && !victim.randomized) return scope(() => leads(logits));
  return victim.mostly(candidates, goal.labels, leads);
}

/** Returns adversarial images, but the image itself where its label is the target: nothing leads there. */
export function unlessAtTarget({ labels, target }: Goal, images: Tensor, adversarial: Tensor): Tensor {
  if (target === undefined) return adversarial;
  return ops.where(target.eq(labels).reshape([-1, 1, 1, 1]), images, adversarial);
}
