import { createHash, type Hash } from "node:crypto";
import { Victim } from "../attacks/index.js";
import type { Batch, TensorSplit } from "../datasets/index.js";
import { noGrad, scope } from "../engine/index.js";
import { type Classifier, crossEntropy, transformTensors } from "../nn/index.js";
import { codeOf } from "../options/index.js";
import type { OpenedModel } from "../trials/index.js";

/** Images whose logits stand for a classifier, of which no weights are known; and those of its gradients. */
const known = { logits: 16, gradients: 4 } as const;

const noSeed = { low: 0, high: 0 };

/**
 * Adds a model's name, defenses and weights to a hash, also those of a defense's trained part; what a
 * classifier says of the first images.
 */
export function addModel(hash: Hash, { name, classifier, model }: OpenedModel, data: TensorSplit): void {
  const { inputShape, classes } = classifier;
  hash.update(JSON.stringify([name, inputShape, classes, model?.defenses ?? null]));
  hash.update(codeOf(model?.defenses ?? []) ?? "");
  if (model?.origin !== undefined) hash.update(model.origin());
  if (model === undefined) {
    scope(() => addClassifier(hash, classifier, data));
    return;
  }
  for (const [name, value] of [...model.module.state(), ...transformTensors(model.module)]) {
    hash.update(`${name} ${value.dtype} ${value.shape.join("x")}`);
    hash.update(scope(() => value.detach().to("float32").toArray()));
  }
}

/** Adds a classifier's answers and gradients for the first images to a hash, and those of its surrogates. */
function addClassifier(hash: Hash, classifier: Classifier, data: TensorSplit): void {
  const { surrogates = {}, levels } = classifier;
  addAnswers(hash, classifier, data);
  for (const [name, surrogate] of Object.entries(surrogates)) {
    hash.update(`surrogate ${name}`);
    try {
      addAnswers(hash, surrogate, data);
    } catch {
      hash.update("no answers");
    }
  }
  if (levels !== undefined) hash.update(`levels ${levels.count} ${levels.scale}`);
}

function addAnswers(hash: Hash, classifier: Classifier, data: TensorSplit): void {
  const { randomized } = classifier;
  const { images, imageIds } = data.range(0, known.logits);
  hash.update(randomized ? "randomized" : "deterministic");
  for (const draw of randomized ? [0, 1] : [0]) {
    const noise = { seed: noSeed, draw, imageIds };
    hash.update(noGrad(() => scope(() => classifier.logits(images, noise).to("float32").toArray())));
  }
  hash.update(gradientsText(classifier, data.range(0, known.gradients)));
}

/** Gradients of the loss as text. A classifier without any is known by its answers alone. */
function gradientsText(classifier: Classifier, { images, labels, imageIds }: Batch): string {
  try {
    return scope(() => {
      const victim = new Victim(classifier, { seed: noSeed, imageIds }, "identity");
      const { gradient } = victim.gradient(images, (logits) => crossEntropy(logits, labels));
      const values = gradient.flatten(1).to("float32").toArray() as Float32Array;
      const pixels = values.length / labels.shape[0]!;
      return Array.from(labels.toNumbers(), (_, i) =>
        gradientText(values.subarray(i * pixels, (i + 1) * pixels)),
      ).join();
    });
  } catch {
    return "no gradients";
  }
}

/** Weights of a gradient's elements by their place: all alike, and two sequences in [-1, 1). */
const patterns = [
  () => 1,
  (i: number) => Math.imul(i + 1, 0x9e3779b1) / 2 ** 31,
  (i: number) => Math.imul(i + 1, 0x85ebca6b) / 2 ** 31,
];

/**
 * Length of a gradient, and its weighted sums as shares of the length. In a few digits, since the last ones
 * may change from run to run on a device, and must not change the identity.
 */
function gradientText(gradient: Float32Array): string {
  const length = Math.sqrt(gradient.reduce((sum, value) => sum + value ** 2, 0));
  if (!Number.isFinite(length) || length === 0) return String(length);
  const sums = patterns.map((weight) => gradient.reduce((sum, value, i) => sum + weight(i) * value, 0));
  return [length.toPrecision(2), ...sums.map((sum) => Math.round((10 * sum) / length))].join(" ");
}

/** Beginning of the SHA-256 of a model's name, defenses and weights, behind its name. */
export function modelIdentity(opened: OpenedModel, data: TensorSplit): string {
  const hash = createHash("sha256");
  addModel(hash, opened, data);
  return `${opened.name} ${hash.digest("hex").slice(0, 12)}`;
}
