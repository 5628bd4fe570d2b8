import { isObject, shownGiven } from "../../base/index.js";
import type { TensorSplit } from "../../datasets/index.js";
import { checkDevice, noGrad, scope, Tensor } from "../../engine/index.js";
import { type Architecture, isModel, type Model } from "../../models/index.js";
import type { Classifier, Module } from "../../nn/index.js";

/** Model, architecture, or classifier: everything that can be attacked. */
export type Attackable = Model | Architecture | Classifier;

/** Classifier of what was given, on a device until it is put back. */
export interface OpenedModel {
  /** Name in messages and reports. */
  readonly name: string;
  readonly classifier: Classifier;
  /** Undefined for a classifier. */
  readonly model?: Model | undefined;
  /** Device that it runs on, and that images are put on. */
  readonly device: string;
  /** Moves the model back to the device that it was on. */
  putBack(): void;
}

function isClassifier(given: unknown): given is Classifier {
  return isObject(given) && Array.isArray(given.inputShape) && typeof given.logits === "function";
}

function isArchitecture(given: unknown): given is Architecture {
  return isObject(given) && typeof given.build === "function" && Array.isArray(given.inputShape);
}

function deviceOf(module: Module): string {
  const [first] = module.state().values();
  return first?.device ?? "cpu";
}

/**
 * Opens a model, an architecture (built with seed 0) or a classifier as a classifier.
 *
 * @param device moves a model there; where it stands already if left out. A classifier runs where its tensors
 *   are, so `device` says where the images are put; the CPU if left out
 * @param what name of the argument in messages
 * @throws TypeError for anything else; RangeError for fewer than two classes, or a device that is not there
 */
export function openModel(given: Attackable, device?: string, what = "model"): OpenedModel {
  if (!isModel(given) && isArchitecture(given)) return openModel(given.build({ seed: 0 }), device, what);
  if (isModel(given)) {
    const { module, name } = given;
    const before = deviceOf(module);
    const wanted = device === undefined ? before : checkDevice(device);
    const classifier = given.classifier();
    checkClasses(classifier, what);
    if (wanted !== before) module.to(wanted);
    const putBack = () => {
      if (wanted !== before) module.to(before);
    };
    return { name, classifier, model: given, device: wanted, putBack };
  }
  if (!isClassifier(given)) throw new TypeError(`${what} must be ${accepted}, not ${hint(given)}`);
  checkClasses(given, what);
  return { name: "classifier", classifier: given, device: checkDevice(device ?? "cpu"), putBack() {} };
}

const accepted = "a model, an architecture such as small(), or a classifier";

function hint(given: unknown): string {
  if (typeof given === "function") return "a function: call it, as in small()";
  if (isObject(given) && isModel(given.model)) return `${shownGiven(given)}: give its .model`;
  if (isObject(given) && typeof given.apply === "function")
    return `${shownGiven(given)}: give modelOf(it, { ... })`;
  return shownGiven(given);
}

function checkClasses({ classes }: Classifier, what: string): void {
  if (Number.isInteger(classes) && classes >= 2) return;
  throw new RangeError(
    `${what} must have 2 classes or more, not ${shownGiven(classes)}: attacks need another class`,
  );
}

/**
 * Asks a model for its answers to a few images. Throws an error that names the model where it gives no
 * logits: a TypeError for no tensor, a RangeError for another shape, an Error for one that it throws itself.
 */
export function checkAnswers({ name, classifier, model }: OpenedModel, data: TensorSplit): void {
  noGrad(() =>
    scope(() => {
      const { images, imageIds } = data.range(0, 2);
      const noise = { seed: { low: 0, high: 0 }, draw: 0, imageIds };
      const wanted = [images.shape[0]!, classifier.classes];
      const logits = answered(name, images, () =>
        // Without the classifier's own conversions, which no other value than a tensor survives.
        model === undefined
          ? classifier.logits(images, noise)
          : model.module.apply(images, { training: false, noise }),
      );
      if (!(logits instanceof Tensor)) throw new TypeError(`model ${name}: ${notLogits(logits)}`);
      if (logits.shape.join() === wanted.join()) return;
      const shape = `answers ${wanted[0]} images by logits of shape [${logits.shape.join(", ")}]`;
      throw new RangeError(
        `model ${name}: ${shape}, not [${wanted.join(", ")}]: it has ${classifier.classes} classes`,
      );
    }),
  );
}

function notLogits(given: unknown): string {
  if (!(given instanceof Promise)) return `answers by ${shownGiven(given)}, not by a tensor of logits`;
  given.catch(() => {});
  return "answers by a Promise, not by a tensor of logits: its forward pass must not be async";
}

/**
 * Answer of a model to images. Throws an Error that names the model where it throws one, and where it changes
 * or frees the images, which belong to who asks.
 */
export function answered(name: string, images: Tensor, ask: () => unknown): unknown {
  const before = images.clone();
  let answer: unknown;
  try {
    answer = ask();
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof TypeError) throw new TypeError(`model ${name}: ${message}`, { cause: error });
    const shape = images.shape.slice(1).join(", ");
    throw new Error(`model ${name}: cannot answer images of shape [${shape}]: ${message}`, { cause: error });
  }
  if (!images.disposed && images.eq(before).all().item() === 1) return answer;
  throw new Error(`model ${name} changes or frees the images that it is given: it must work on a clone`);
}
