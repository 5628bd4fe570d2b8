import type * as z from "zod";
import { noGrad, scope, Tensor } from "../../engine/index.js";
import { type Classifier, checkImages, checkLabels, checkPixelRange } from "../../nn/classifier.js";
import { type Call, formatCall, type OptionValue } from "../../options/call.js";
import { parseOptions, recordedOptions } from "../../options/schema.js";
import { checkClassifier } from "./arguments.js";
import type { AttackContext } from "./context.js";
import { FiniteWatch } from "./finite-watch.js";
import { notFinite } from "./not-finite.js";
import { Target } from "./target.js";

/** A norm of perturbations. */
export type Norm = "linf" | "l2" | "l1";

/** What an attack with its options declares of itself. */
export interface AttackTraits {
  /** The norm that bounds the perturbation, or that is minimized; "none" where no norm does, as of a rotation. */
  readonly norm: Norm | "none";
  /** The bound in that norm; undefined where the perturbation is minimized and no radius bounds it. */
  readonly radius: number | undefined;
  readonly usesGradients: boolean;
  /** Beside gradients it searches by answers alone, as AutoAttack's Square does; false where left out. */
  readonly searchesToo?: boolean;
  /** Draws noise of its own, such as a random start. */
  readonly randomized: boolean;
}

/**
 * An attack with its options: proposes adversarial images (N, C, H, W) in [0, 1] for images, true labels (N) and a
 * context. Images, labels and the result are float32, int64 and float32.
 */
export interface Attack {
  (model: Classifier, images: Tensor, labels: Tensor, context: AttackContext): Tensor;
  readonly name: string;
  /** Every option with its value, defaults included. */
  readonly options: Readonly<Record<string, OptionValue>>;
  /** Name, options that a record names and attacks inside, as data: survives JSON, and `parseAttack` reads it. */
  readonly call: Call;
  /** The call as it is written on the command line: `pgd(epsilon=8/255, ...)`. */
  readonly label: string;
  readonly traits: AttackTraits;
  /** The same attack, and those inside it, with the options that `change` gives for each one's call. */
  remake(change: (call: Call) => Readonly<Record<string, unknown>>): Attack;
}

/** What every attack's definition tells of itself, whatever its options. */
export interface AttackDescription {
  readonly name: string;
  readonly options: z.ZodObject;
  readonly summary: string;
  /** The attack of options that nobody has checked yet. Throws a RangeError that names the option at fault. */
  fromOptions(options: unknown): Attack;
}

/** An attack's definition: called with options it gives the Attack. */
export interface AttackDefinition<Schema extends z.ZodObject> extends AttackDescription {
  (options?: z.input<Schema>): Attack;
  readonly options: Schema;
}

/** A function with properties; its own `name`, which is read-only, is replaced. */
export function callable<F extends object, P extends object>(
  f: F,
  name: string,
  properties: P,
): F & P & { name: string } {
  return Object.assign(Object.defineProperty(f, "name", { value: name, enumerable: true }), properties) as F &
    P & { name: string };
}

type Run = (target: Target, images: Tensor, labels: Tensor) => Tensor;

function checkContext(images: Tensor, context: AttackContext | undefined): void {
  const imageIds = context?.imageIds;
  if (!(imageIds instanceof Tensor)) {
    throw new TypeError(
      "context must be { seed, imageIds: tensor }, such as { seed: 0, imageIds: imageIdRange(0, N) }",
    );
  }
  const count = images.shape[0]!;
  if (imageIds.dtype !== "int64") throw new TypeError(`context.imageIds must be int64, not ${imageIds.dtype}`);
  if (imageIds.shape.length !== 1 || imageIds.shape[0] !== count) {
    const given = imageIds.shape.join(", ");
    throw new RangeError(`context.imageIds must have shape [${count}], as many as images, not [${given}]`);
  }
}

function checkProposal(
  label: string,
  proposal: Tensor,
  images: Tensor,
  model: Classifier,
  context: AttackContext,
): void {
  if (proposal.shape.join() !== images.shape.join()) {
    throw new Error(`attack ${label} returned shape [${proposal.shape.join(", ")}], not that of the images`);
  }
  const [low, high] = [proposal.amin().item(), proposal.amax().item()];
  if (!(low >= 0 && high <= 1)) {
    const message = `attack ${label} returned pixels outside [0, 1], ${low} .. ${high}`;
    if (!Number.isNaN(low)) throw new Error(message);
    throw notFinite(model, images, context, message);
  }
}

/** What an attack found, where all that the network answered was finite; else an error. */
function watched(name: string, images: Tensor, work: (watch: FiniteWatch) => Tensor): Tensor {
  const watch = new FiniteWatch(name, images.device);
  try {
    const found = work(watch);
    watch.check();
    return found;
  } catch (error) {
    throw watch.causeOf(error);
  } finally {
    watch.dispose();
  }
}

/**
 * Makes an attack of a call, the function that does the work, and one that makes it again with other options; input and
 * result are checked, memory is freed. `options` are all options, where the call leaves some out.
 */
export function checkedAttack(
  call: Call,
  traits: AttackTraits,
  run: Run,
  remake: Attack["remake"],
  options = call.options,
): Attack {
  const { name } = call;
  const label = formatCall(name, call.options, call.of);
  const attack = (model: Classifier, images: Tensor, labels: Tensor, context: AttackContext): Tensor => {
    checkClassifier(model);
    checkImages(model, images);
    return noGrad(() =>
      scope(() => {
        checkPixelRange(images);
        checkLabels(model, images, labels);
        checkContext(images, context);
        if (images.shape[0] === 0) return images.clone();
        const proposal = watched(name, images, (watch) =>
          run(new Target(model, context, name, { watch }), images, labels),
        );
        checkProposal(label, proposal, images, model, context);
        // A caller may free its images while it keeps the result, so the two are never one tensor.
        return proposal === images ? images.clone() : proposal;
      }),
    );
  };
  return callable(attack, name, { options, call, label, traits, remake });
}

/**
 * Defines an attack: one schema for options gives their types, checks, help and record; `run` does the work on checked
 * input, and need not free tensors.
 */
export function defineAttack<Schema extends z.ZodObject>(
  name: string,
  definition: {
    summary: string;
    options: Schema;
    traits(options: z.output<Schema>): AttackTraits;
    run(options: z.output<Schema>, target: Target, images: Tensor, labels: Tensor): Tensor;
  },
): AttackDefinition<Schema> {
  const { summary, options: schema } = definition;
  const fromOptions = (given: unknown): Attack => {
    const options = parseOptions("attack", name, schema, given);
    const all = options as Record<string, OptionValue>;
    const call = { name, options: recordedOptions(schema, all) as Record<string, OptionValue> };
    const run: Run = (target, images, labels) => definition.run(options, target, images, labels);
    return checkedAttack(call, definition.traits(options), run, (change) => fromOptions(change(call)), all);
  };
  const create = (given?: z.input<Schema>): Attack => fromOptions(given ?? {});
  return callable(create, name, { options: schema, summary, fromOptions });
}
