import { createHash, type Hash } from "node:crypto";
import type { TensorSplit } from "../datasets/index.js";
import { noGrad, scope } from "../engine/index.js";
import type { OpenedModel } from "../trials/index.js";

/** Images whose logits stand for a classifier, of which no weights are known. */
const knownImages = 16;

/** Adds a model's name, defenses and weights to a hash; a classifier's logits for the first images. */
export function addModel(hash: Hash, { name, classifier, model }: OpenedModel, data: TensorSplit): void {
  const { inputShape, classes } = classifier;
  hash.update(JSON.stringify([name, inputShape, classes, model?.defenses ?? null]));
  if (model?.origin !== undefined) hash.update(model.origin());
  if (model === undefined) {
    const logits = scope(() => {
      const { images, imageIds } = data.range(0, knownImages);
      const noise = { seed: { low: 0, high: 0 }, draw: 0, imageIds };
      return noGrad(() => classifier.logits(images, noise).to("float32").toArray());
    });
    hash.update(logits);
    return;
  }
  for (const [name, value] of model.module.state()) {
    hash.update(`${name} ${value.dtype} ${value.shape.join("x")}`);
    hash.update(scope(() => value.detach().to("float32").toArray()));
  }
}

/** Beginning of the SHA-256 of a model's name, defenses and weights, behind its name. */
export function modelIdentity(opened: OpenedModel, data: TensorSplit): string {
  const hash = createHash("sha256");
  addModel(hash, opened, data);
  return `${opened.name} ${hash.digest("hex").slice(0, 12)}`;
}
