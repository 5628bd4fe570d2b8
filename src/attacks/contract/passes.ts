import { checkKind, deriveSeed, type Seed } from "../../base/index.js";
import { type Noise, noGrad, operators as ops, Tensor } from "../../engine/index.js";
import { type Classifier, checkLogits, type Loss, margin } from "../../nn/index.js";

/** Passes of single images through the classifier that an attack has used. */
export interface PassCounter {
  forward: number;
  backward: number;
}

/** Attack of a suite, once it has run. */
export interface SuitePart {
  /** Name of the attack, without its options. */
  readonly name: string;
  /** Images that it attacked: those that the parts before it left. */
  readonly images: number;
  /** Passes of single images that it used; undefined where nobody counts them. */
  readonly passes: PassCounter | undefined;
}

/** Gradient that an attack has taken. */
export interface TakenGradient {
  /** With respect to the images, or to weights of their levels: (N, ...). */
  readonly gradient: Tensor;
  /** Logits (N, classes) at which it was taken. */
  readonly logits: Tensor;
  /** Loss that was differentiated. */
  loss(logits: Tensor): Tensor;
}

/** Surroundings of an attack: its seed, the ids of its images, and those who count and listen. */
export interface AttackContext {
  readonly seed: Seed | number;
  /** int64 of shape (N). Noise is keyed by them, so results do not depend on how images are batched. */
  readonly imageIds: Tensor;
  /**
   * Seed of the draws by which a randomized classifier's classes are ranked; `seed` where left out. Attacks
   * inside another have its own, so that all of them aim for the same classes.
   */
  readonly rankingSeed?: Seed | number;
  readonly passes?: PassCounter;
  /** View of the classifier; one draw and its own gradient where left out. */
  readonly view?: View;
  /** Told of each attack of a suite, such as AutoAttack, that has run. */
  readonly onPart?: (part: SuitePart) => void;
  /** Told of each gradient, of the classifier itself, of a surrogate or behind its levels. */
  readonly onGradient?: (taken: TakenGradient) => void;
}

/** Attack as a victim runs it. */
export type Runnable = (
  classifier: Classifier,
  images: Tensor,
  labels: Tensor,
  context: AttackContext,
) => Tensor;

/** Seed of the noise that an attack draws for a purpose. */
export function attackSeed(seed: Seed | number, attackName: string, purpose: string): Seed {
  return deriveSeed(seed, "attack", attackName, purpose);
}

/** Differences from the victim of an attack that is called by itself. */
export interface VictimOptions {
  /** Told of the logits and gradients of each pass, to look for NaN. */
  readonly watch?: { see(logits: Tensor, gradients?: Tensor): void };
  /** Gives the seed of each purpose's noise, in place of the context's seed. */
  readonly seeds?: (purpose: string) => Noise["seed"];
}

/** View that an attack has of the classifier, where not in one draw and through its own gradient. */
export interface View {
  /** Fresh draws of a randomized classifier that every gradient and answer is averaged over. */
  readonly draws: number;
  /** Quantity that is averaged over draws: the loss, or the softmax. */
  readonly mean: "loss" | "softmax";
  /** Surrogate that gradients are taken through; undefined for the classifier itself. */
  readonly through: string | undefined;
  /** Owner of the logits that an attack goes by. */
  readonly forward: "own" | "surrogate";
  /** Factor of the logits: a number, or one for each image, (N, 1). */
  readonly scale: number | Tensor;
}

export const plainView: View = { draws: 1, mean: "loss", through: undefined, forward: "own", scale: 1 };

/** Returns a view inside another: the inner one replaces what it names, and factors multiply. */
export function composeViews(outer: View, { scale, ...inner }: Partial<View>): View {
  return { ...outer, ...inner, scale: scale === undefined ? outer.scale : product(outer.scale, scale) };
}

function product(a: number | Tensor, b: number | Tensor): number | Tensor {
  if (typeof a !== "number") return a.mul(b);
  return typeof b === "number" ? a * b : b.mul(a);
}

/** Losses of logits. TypeError for a loss, labels or losses of another kind: a writer of attacks may err. */
export function lossesOf(loss: Loss, logits: Tensor, labels: Tensor): Tensor {
  checkKind("labels", labels, "a tensor, int64 (N)", labels instanceof Tensor);
  return checkedLosses(loss, () => loss(logits, labels));
}

/** Losses that a function gives, whose writer may forget to return them. */
export function checkedLosses(loss: unknown, losses: () => Tensor): Tensor {
  checkKind("loss", loss, "a function of logits", typeof loss === "function");
  const given: unknown = losses();
  checkKind("the losses that loss returns", given, "a tensor (N)", given instanceof Tensor);
  return given as Tensor;
}

/** Mean of several draws' losses; for a view that averages the softmax, logits of the mean softmax. */
export function meanOfDraws(draws: readonly Tensor[], { mean }: Pick<View, "mean">): Tensor {
  if (draws.length === 1) return draws[0]!;
  if (mean === "loss") return ops.stack(draws, 0).sumDim([0]).div(draws.length);
  const logs = draws.map((logits) => logits.logSoftmax(1));
  return ops.stack(logs, 0).logsumexp([0]).sub(Math.log(draws.length));
}

/**
 * Logits (N, classes) of one draw as a view shows them: scaled, and with the gradient of its surrogate.
 * `count` is called for every pass. RangeError when the classifier has no such surrogate.
 */
export function viewedLogits(
  classifier: Classifier,
  view: View,
  input: Tensor,
  noise: Noise,
  count: () => void,
): Tensor {
  const { through, forward } = view;
  const logitsOf = (shown: Classifier, images: Tensor) => {
    count();
    return checkLogits(classifier, images, shown.logits(images, noise));
  };
  if (through === undefined) return scaled(logitsOf(classifier, input), view);
  const fault = surrogateFault(classifier, through);
  if (fault !== undefined) throw new RangeError(fault);
  const logits = logitsOf(classifier.surrogates![through]!, input);
  if (forward === "surrogate") return scaled(logits, view);
  const own = noGrad(() => logitsOf(classifier, input.detach()));
  return scaled(logits.add(own.sub(logits.detach())), view);
}

export function scaled(logits: Tensor, { scale }: View): Tensor {
  return scale === 1 ? logits : logits.mul(scale);
}

/** Complaint about a surrogate that a classifier does not have; undefined where it has it. */
export function surrogateFault({ surrogates = {} }: Classifier, name: string): string | undefined {
  if (Object.hasOwn(surrogates, name)) return undefined;
  const names = Object.keys(surrogates);
  const known = names.length === 0 ? "the classifier has none" : `the classifier has ${names.join(", ")}`;
  return `no surrogate "${name}" to take gradients through; ${known}`;
}

/** Draws by which a randomized classifier is judged, and its classes are ranked: one draw is luck. */
export const verdictDraws = 8;

/** Share of the largest logit that a lead must exceed: more than rounding changes from batch to batch. */
const rounding = 1e-5;

/** Returns leads (N) less all that rounding may change, so that a lead above 0 is one in any batch. */
export function beyondRounding(leads: Tensor, logits: Tensor): Tensor {
  return leads.add(logits.abs().amax([1]), -rounding);
}

/** Margin that is above 0 only where an image is misclassified in any batch. */
export const clearMargin: Loss = (logits, labels) => beyondRounding(margin(logits, labels), logits);

/** Tells, bool (N), where `clearMargin` is above 0, in fewer operations. */
export const clearlyWrong: Loss = (logits, labels) => {
  const own = logits.gather(1, labels.unsqueeze(1)).squeeze(1);
  return beyondRounding(logits.amax([1]).sub(own), logits).gt(0);
};
