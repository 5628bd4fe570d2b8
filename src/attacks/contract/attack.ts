import type * as z from "zod";
import { checkKind, isObject, shownGiven, toSeed } from "../../base/index.js";
import { imageIdRange, noGrad, scope, Tensor } from "../../engine/index.js";
import { type Classifier, checkImages, checkLabels, checkPixelRange } from "../../nn/index.js";
import { type Factory, Kind, type Value } from "../../options/index.js";
import { FiniteWatch } from "./finite-watch.js";
import type { Norm, TargetChoice } from "./options.js";
import type { AttackContext } from "./passes.js";
import { Victim } from "./victim.js";

/** Declarations of an attack with its options. */
export interface AttackTraits {
  /** Norm that bounds the perturbation, or that is minimized; "none" where no norm does, as of a rotation. */
  readonly norm: Norm | "none";
  /** Bound in that norm; undefined where the perturbation is minimized and no radius bounds it. */
  readonly radius: number | undefined;
  readonly usesGradients: boolean;
  /**
   * Tells of an attack with gradients that it also searches by answers alone, as AutoAttack's Square does.
   */
  readonly searchesToo?: boolean;
  /** Tells whether it draws noise of its own, such as a random start. */
  readonly randomized: boolean;
  /** Class that it aims for; none where left out. */
  readonly target?: TargetChoice;
}

/** Attack before its options name it. */
export interface AttackWork {
  /**
   * Proposes adversarial images (N, C, H, W) in [0, 1] for images, true labels (N) and a context. Images,
   * labels and the result are float32, int64 and float32. Where the context leaves them out, the seed is 0,
   * and the ids of the images are 0 to N - 1. Checks its input and its result, and frees its tensors.
   *
   * @throws TypeError or RangeError for a classifier, images, labels or a context that do not fit
   * @example
   * const { images, labels } = new TensorSplit(mnist().test).range(0, 100);
   * const adversarial = pgd({ epsilon: 0.3 })(model.classifier(), images, labels);
   */
  (classifier: Classifier, images: Tensor, labels: Tensor, context?: Partial<AttackContext>): Tensor;
  readonly traits: AttackTraits;
  /**
   * RangeError, before anything runs, when the attack cannot run on a classifier, such as one of too few
   * classes.
   */
  check(classifier: Classifier): void;
  /** Search itself, on a victim and checked images: other attacks and training build on it. */
  search(victim: Victim, images: Tensor, labels: Tensor): Tensor;
  /** Returns the same attack, and those inside it, with the options that `change` gives for each. */
  remake(change: (attack: Attack) => Readonly<Record<string, unknown>>): Attack;
}

/** Attack with its options, such as `pgd({ epsilon: 8 / 255 })`. */
export interface Attack extends AttackWork, Value {
  readonly name: string;
}

/** Every attack by its name: `attacks.parse("pgd(epsilon=8/255, steps=7)")`. */
export const attacks = new Kind<AttackWork, Attack>("attack", "pgd(steps=7)");

/** Throws a TypeError unless attacks are a list of attacks; `what` begins the message. */
export function checkAttacks(given: readonly Attack[], what = "attacks"): void {
  checkKind(what, given, "a list of attacks", Array.isArray(given));
  const wrong = given.findIndex((attack) => !attacks.is(attack));
  if (wrong < 0) return;
  throw new TypeError(`${what} must hold attacks such as pgd(), not ${shownGiven(given[wrong])}`);
}

/**
 * Throws a TypeError unless a classifier can be attacked; a Model is not its `classifier()`. RangeError for a
 * single class.
 */
export function checkClassifier(classifier: Classifier, name = "classifier"): void {
  const { inputShape, classes, logits } = isObject(classifier) ? classifier : ({} as Partial<Classifier>);
  const fits = Array.isArray(inputShape) && typeof logits === "function";
  checkKind(name, classifier, "a classifier, such as model.classifier()", fits);
  if (Number.isInteger(classes) && classes! >= 2) return;
  throw new RangeError(`${name} must tell two classes or more apart, not ${classes}`);
}

/** Context of an attack on images, with what was left out. */
function contextOf({ shape, device }: Tensor, given: Partial<AttackContext> = {}): AttackContext {
  checkKind("context", given, "an object such as { seed: 1 }", isObject(given));
  const { seed = 0, imageIds = imageIdRange(0, shape[0]!).to({ device }) } = given;
  toSeed(seed);
  checkKind("context.imageIds", imageIds, "a tensor, such as imageIdRange(0, N)", imageIds instanceof Tensor);
  if (imageIds.dtype !== "int64")
    throw new TypeError(`context.imageIds must be int64, not ${imageIds.dtype}`);
  const form = imageIds.shape.join(", ");
  if (form !== String(shape[0]))
    throw new RangeError(`context.imageIds must have shape [${shape[0]}], not [${form}]`);
  return { ...given, seed, imageIds };
}

/** Error, which begins with `of`, unless images are float32 in the shape of those given, in [0, 1]. */
export function checkProposal(of: string, proposal: Tensor, images: Tensor): void {
  const form = (t: Tensor) => (t instanceof Tensor ? `${t.dtype} [${t.shape.join(", ")}]` : shownGiven(t));
  // Of a promise that is rejected later nobody would hear.
  if ((proposal as unknown) instanceof Promise) (proposal as unknown as Promise<unknown>).catch(() => {});
  if (form(proposal) !== form(images)) {
    throw new Error(`${of} returned ${form(proposal)}, not ${form(images)} as its images`);
  }
  const [low, high] = [proposal.amin().item(), proposal.amax().item()];
  if (!(low >= 0 && high <= 1)) throw new Error(`${of} returned pixels outside [0, 1], ${low} .. ${high}`);
}

/** Makes an attack of its parts: input and result are checked, tensors are freed. */
export function checkedAttack(
  name: string,
  parts: Pick<AttackWork, "traits" | "check" | "search" | "remake">,
): AttackWork {
  const attack = (classifier: Classifier, images: Tensor, labels: Tensor, given?: Partial<AttackContext>) => {
    parts.check(classifier);
    checkImages(classifier, images);
    return noGrad(() =>
      scope(() => {
        checkPixelRange(images);
        checkLabels(classifier, images, labels);
        const context = contextOf(images, given);
        if (images.shape[0] === 0) return images.clone();
        // An attack may change its images in place, and a caller free its own while it keeps the result.
        const own = images.clone();
        const proposal = FiniteWatch.over(name, own.device, (watch) =>
          parts.search(new Victim(classifier, context, name, { watch }), own, labels),
        );
        checkProposal(`attack ${attack}`, proposal, images);
        return proposal;
      }),
    );
  };
  return Object.assign(attack, parts);
}

/** Makes the check of a classifier; `fault` says why an attack cannot run on it. */
export function checkOf(name: string, fault: ((classifier: Classifier) => string | undefined) | undefined) {
  return (classifier: Classifier): void => {
    checkClassifier(classifier);
    const found = fault?.(classifier);
    if (found !== undefined) throw new RangeError(`attack ${name}: ${found}`);
  };
}

/**
 * Defines an attack. One schema gives its options their types, checks and help. `run` does the work on
 * checked input, and need not free tensors; `fault` says why it cannot run on a classifier.
 * `attacks.register` makes the attack known by its name.
 *
 * @example
 * export const randomSign = defineAttack("random-sign", {
 *   summary: "moves each pixel by plus or minus epsilon at random",
 *   options: z.strictObject({ epsilon: z.number().min(0).default(0.3) }),
 *   traits: ({ epsilon }) => ({ norm: "linf", radius: epsilon, usesGradients: false, randomized: true }),
 *   run: ({ epsilon }, victim, images) => ...,
 * });
 */
export function defineAttack<const Name extends string, Schema extends z.ZodObject>(
  name: Name,
  definition: {
    readonly summary: string;
    readonly options: Schema;
    traits(options: z.output<Schema>): AttackTraits;
    fault?(options: z.output<Schema>, classifier: Classifier): string | undefined;
    run(options: z.output<Schema>, victim: Victim, images: Tensor, labels: Tensor): Tensor;
  },
): Factory<Attack, Name, Schema> {
  const what = attacks.checkParts(name, definition);
  const { summary, options: schema, traits, fault, run } = definition;
  for (const [part, given] of Object.entries({ traits, run })) {
    checkKind(`${what}: ${part}`, given, "a function", typeof given === "function");
  }
  return attacks.define(name, {
    summary,
    options: schema,
    create(options, _, again) {
      const attack: AttackWork = checkedAttack(name, {
        traits: traits(options),
        check: checkOf(name, fault && ((classifier) => fault(options, classifier))),
        search: (victim, images, labels) => run(options, victim, images, labels),
        remake: (change) => again(change(attack as Attack)),
      });
      return attack;
    },
  });
}
