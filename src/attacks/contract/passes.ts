import { deriveSeed, type Seed } from "../../base/index.js";
import { grad, type Noise, noGrad, operators as ops, scope, Tensor } from "../../engine/index.js";
import { type Classifier, type ImagePass, type Loss, margin } from "../../nn/index.js";

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

/** Surroundings of an attack: its seed, the ids of its images, and those who count and listen. */
export interface AttackContext {
  readonly seed: Seed | number;
  /** int64 of shape (N). Noise is keyed by them, so results do not depend on how images are batched. */
  readonly imageIds: Tensor;
  readonly passes?: PassCounter;
  /** View of the classifier; one draw and its own gradient where left out. */
  readonly view?: View;
  /** Told of each attack of a suite, such as AutoAttack, that has run. */
  readonly onPart?: (part: SuitePart) => void;
}

/** Attack as a victim runs it. */
export type Runnable = (model: Classifier, images: Tensor, labels: Tensor, context: AttackContext) => Tensor;

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

/** Mean of several draws' losses; for a view that averages the softmax, logits of the mean softmax. */
export function meanOfDraws(draws: readonly Tensor[], { mean }: View): Tensor {
  if (draws.length === 1) return draws[0]!;
  if (mean === "loss") return ops.stack(draws, 0).sumDim([0]).div(draws.length);
  const logs = draws.map((logits) => logits.logSoftmax(1));
  return ops.stack(logs, 0).logsumexp([0]);
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
    return checkedLogits(shown.logits(images, noise), images, classifier.classes);
  };
  if (through === undefined) return scaled(logitsOf(classifier, input), view);
  const fault = surrogateFault(classifier, through);
  if (fault !== undefined) throw new RangeError(fault);
  const logits = logitsOf(classifier.surrogates![through]!, input);
  if (forward === "surrogate") return scaled(logits, view);
  const own = noGrad(() => logitsOf(classifier, input.detach()));
  return scaled(logits.add(own.sub(logits.detach())), view);
}

/** Returns the logits of a batch of images. RangeError unless their shape is (N, classes). */
export function checkedLogits(logits: Tensor, { shape }: Tensor, classes: number): Tensor {
  const given = logits instanceof Tensor ? `[${logits.shape.join(", ")}]` : String(logits);
  const wanted = `[${shape[0]}, ${classes}]`;
  if (given !== wanted)
    throw new RangeError(`the classifier's logits must have shape ${wanted}, not ${given}`);
  return logits;
}

function scaled(logits: Tensor, { scale }: View): Tensor {
  return scale === 1 ? logits : logits.mul(scale);
}

/** Complaint about a surrogate that a classifier does not have; undefined where it has it. */
export function surrogateFault({ surrogates = {} }: Classifier, name: string): string | undefined {
  if (Object.hasOwn(surrogates, name)) return undefined;
  const names = Object.keys(surrogates);
  const known = names.length === 0 ? "the classifier has none" : `the classifier has ${names.join(", ")}`;
  return `no surrogate "${name}" to take gradients through; ${known}`;
}

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

/** Derivative with respect to the images, with the logits and losses at which it was taken. */
export interface Derivative {
  readonly gradient: Tensor;
  readonly logits: Tensor;
  readonly losses: Tensor;
}

/** Takes the derivative of losses with respect to the images that they came from. */
export type Differentiate = (losses: Tensor, images: Tensor) => Tensor;

/** Gradient of a scalar at images: zeros where none comes to them, as with a defense that blocks all. */
function gradientAt(output: Tensor, images: Tensor, keepGraph = false): Tensor {
  return grad(output, [images], { keepGraph, unused: "zeros" })[0]!;
}

/** Gradient (N, C, H, W) of each image's loss (N). */
export const gradientOf: Differentiate = (losses, images) => gradientAt(losses.sum(), images);

/** Gradients (N, K, C, H, W) of every column of outputs (N, K). */
export const jacobianOf: Differentiate = (outputs, images) => {
  const columns = outputs.shape[1]!;
  const rows = Array.from({ length: columns }, (_, k) =>
    gradientAt(outputs.select(1, k).sum(), images, k + 1 < columns),
  );
  return ops.stack(rows, 1);
};

/** Derivative that is wanted, and its weight in a mean. */
export interface DerivativeRequest {
  /** Maps logits (N, classes) to losses. */
  readonly loss: (logits: Tensor) => Tensor;
  readonly differentiate: Differentiate;
  /** Factor of the gradient, the logits and the losses. */
  readonly share: number;
}

/** Returns a derivative at images, of a loss of the logits that `answer` gives. */
export function derivativeAt(
  images: Tensor,
  answer: (input: Tensor) => Tensor,
  { loss, differentiate, share }: DerivativeRequest,
): Derivative {
  return scope(() => {
    const input = images.detach().requireGrad();
    const logits = answer(input);
    const losses = loss(logits);
    if (logits.requiresGrad && !losses.requiresGrad)
      throw new RangeError("the attack's loss does not depend on the logits: it passes no gradient");
    return shared({ gradient: differentiate(losses, input), logits, losses }, share);
  });
}

/** Returns a derivative in one draw as a view shows it, by the classifier's own pass where it has one. */
export function derivativeIn(
  classifier: Classifier,
  view: View,
  images: Tensor,
  noise: Noise,
  request: DerivativeRequest,
  count: () => void,
): Derivative {
  // A pass of its own knows nothing of surrogates.
  const pass = view.through === undefined ? classifier.pass?.(images, noise) : undefined;
  if (pass === undefined) {
    return derivativeAt(images, (input) => viewedLogits(classifier, view, input, noise, count), request);
  }
  count();
  return derivativeOf(pass, view, request);
}

function derivativeOf(
  pass: ImagePass,
  view: View,
  { loss, differentiate, share }: DerivativeRequest,
): Derivative {
  return scope(() => {
    const input = pass.logits.detach().requireGrad();
    const logits = scaled(input, view);
    const losses = loss(logits);
    const weights = differentiate(losses, input);
    // A Jacobian has a gradient of the logits for each of its columns.
    const columns = Array.from({ length: weights.shape.length === 3 ? weights.shape[1]! : 0 }, (_, k) =>
      pass.imageGradient(weights.select(1, k)),
    );
    const gradient = columns.length === 0 ? pass.imageGradient(weights, true) : ops.stack(columns, 1);
    return shared({ gradient, logits, losses }, share);
  });
}

function shared({ gradient, logits, losses }: Derivative, share: number): Derivative {
  // A gradient may be an expanded view, which cannot be changed in place.
  if (share === 1)
    return { gradient: gradient.contiguous(), logits: logits.detach(), losses: losses.detach() };
  return {
    gradient: gradient.mul(share),
    logits: logits.detach().mul(share),
    losses: losses.detach().mul(share),
  };
}

/** Sum of derivatives, in the tensors of the first. */
export function sumOf([first, ...others]: readonly Derivative[]): Derivative {
  for (const other of others) {
    for (const part of ["gradient", "logits", "losses"] as const) first![part].add_(other[part]);
  }
  return first!;
}
