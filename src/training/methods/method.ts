import type * as z from "zod";
import { type Attack, atEpsilon, attacks, type Norm, type Victim } from "../../attacks/index.js";
import { checkKind, checkNumber, unknownName } from "../../base/index.js";
import type { Tensor } from "../../engine/index.js";
import type { Classifier } from "../../nn/index.js";
import { type Call, type Factory, Kind, parseCall, readOption, type Value } from "../../options/index.js";

/** Method of adversarial training, before its options name it. */
export interface MethodWork {
  /** Radius of the ball that it trains for; undefined where it trains for none. */
  readonly epsilon?: number | undefined;
  /** Norm of that radius; l-infinity where left out. */
  readonly norm?: Norm | undefined;
  /**
   * Makes training images of clean ones (N, C, H, W) in [0, 1] and labels (N); undefined trains on the clean
   * ones. `stepScale`, 1 where left out, makes the attack's step smaller. `others` are the models of
   * `sources`.
   */
  readonly perturb:
    | ((
        victim: Victim,
        images: Tensor,
        labels: Tensor,
        stepScale?: number,
        others?: readonly Classifier[],
      ) => Tensor)
    | undefined;
  /**
   * Makes them from the gradient of the cross-entropy at the clean images, for methods that need no other. A
   * run that also trains on the clean images takes it from their backward pass, and saves a pass.
   */
  readonly fromCleanGradient?: ((images: Tensor, gradient: Tensor, stepScale?: number) => Tensor) | undefined;
  /** True where `perturb` reads tensors back, so that a device cannot replay it; false where left out. */
  readonly readsBack?: boolean;
  /** Paths of trained models that `perturb` attacks too, runs or exported models; none where left out. */
  readonly sources?: readonly string[];
  /** Weight of the clean images' loss where a run does not say it; 0 where left out. */
  readonly cleanWeight?: number;
}

/** Training method with its options, such as `nFgsm({ epsilon: 8 / 255 })`. */
export interface TrainingMethod extends MethodWork, Value {
  readonly name: string;
}

/** Every training method by its name: `methods.parse("fgsm(epsilon=0.3)")`. */
export const methods = new Kind<MethodWork, TrainingMethod>(
  "training method",
  "fgsm(epsilon=0.3)",
  checkWork,
);

/**
 * Defines a training method; `methods.register` makes it known by its name.
 *
 * @example
 * export const halfStep = defineMethod("half-step", {
 *   summary: "FGSM examples of half the radius",
 *   options: z.strictObject({ epsilon: z.number().min(0).default(0.3) }),
 *   create: ({ epsilon }) => ({
 *     epsilon,
 *     perturb: (victim, images, labels) => {
 *       const { gradient } = victim.gradient(images, (logits) => crossEntropy(logits, labels));
 *       return images.add(gradient.sign().mul(epsilon / 2)).clamp(0, 1);
 *     },
 *   }),
 * });
 */
export function defineMethod<const Name extends string, Schema extends z.ZodObject>(
  name: Name,
  definition: {
    readonly summary: string;
    readonly options: Schema;
    create(options: z.output<Schema>): MethodWork;
  },
): Factory<TrainingMethod, Name, Schema> {
  return methods.define(name, definition);
}

/** TypeError or RangeError that names the part of a method which is of another kind. */
function checkWork(method: string, work: MethodWork): void {
  const { epsilon = 0, cleanWeight = 0, perturb } = work;
  checkKind(`${method}: perturb`, perturb, "a function", ["function", "undefined"].includes(typeof perturb));
  checkNumber(
    `${method}: epsilon`,
    epsilon,
    "a number of at least 0",
    Number.isFinite(epsilon) && epsilon >= 0,
  );
  const isShare = Number.isFinite(cleanWeight) && cleanWeight >= 0 && cleanWeight < 1;
  checkNumber(`${method}: cleanWeight`, cleanWeight, "a number in [0, 1)", isShare);
}

/** Tells whether a kind has a thing of a call's name, with every option of the call. */
function takes(kind: typeof methods | typeof attacks, { name, options, of = [] }: Call): boolean {
  if (!kind.has(name)) return false;
  const { options: schema, takes: inside } = kind.definition(name);
  const known = Object.keys(options).every((option) => Object.hasOwn(schema.shape, option));
  return known && (of.length === 0 || inside !== undefined);
}

/**
 * Training method that a value or a text stands for. An attack stands for the method of its name, which knows
 * shortcuts; where there is none, or it lacks an option, training images are the attack's.
 *
 * @throws RangeError for an unknown name or options that do not fit, TypeError for anything else
 */
export function methodOf(given: TrainingMethod | Attack | string): TrainingMethod {
  if (attacks.is(given)) return takes(methods, given.call) ? methods.parse(given.call) : onAttack(given);
  if (typeof given !== "string") return methods.of(given, "method");
  const call = parseCall(given);
  const { name } = call;
  if (!takes(methods, call) && takes(attacks, call)) return onAttack(attacks.parse(call));
  if (methods.has(name)) return methods.parse(call);
  if (attacks.has(name)) return onAttack(attacks.parse(call));
  throw unknownName("training method", name, [...new Set([...methods.names, ...attacks.names])]);
}

/** Schema of an option that takes a training method, an attack or a text, and gives the method. */
export const methodOption = readOption(methodOf).meta({
  accepted: "a training method such as fgsm(epsilon=0.3), or an attack",
  placeholder: "METHOD",
});

/** Training on an attack's images: its radius shrinks with `stepScale`. */
function onAttack(attack: Attack): TrainingMethod {
  const { radius, norm } = attack.traits;
  const at = (stepScale: number) => (stepScale === 1 ? attack : atEpsilon(attack, radius! * stepScale));
  const work: MethodWork = {
    // A radius in no norm is no ball that other attacks could search.
    ...(norm === "none" ? {} : { epsilon: radius, norm }),
    perturb: (victim, images, labels, stepScale = 1) => at(stepScale).search(victim, images, labels),
    readsBack: true,
  };
  const { name, options, inside, call } = attack;
  const text = () => String(attack);
  return Object.defineProperties(
    { ...work, kind: "training method", name, options, inside, call, code: attack.code } as TrainingMethod,
    {
      toString: { value: text },
      toJSON: { value: text },
    },
  );
}
