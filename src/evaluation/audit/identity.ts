import { createHash, type Hash } from "node:crypto";
import { addContent, type Split, type TensorSplit } from "../../datasets/index.js";
import { noGrad, scope } from "../../engine/index.js";
import type { OpenedModel } from "../../trials/index.js";
import type { AuditSettings } from "./options.js";

/** Images whose logits stand for a classifier, of which no weights are known. */
const knownImages = 16;

/** All that decides the numbers of an audit. */
export interface AuditSubject {
  readonly settings: AuditSettings;
  readonly opened: OpenedModel;
  readonly transfers: Readonly<Record<string, OpenedModel>>;
  readonly split: Split;
  readonly data: TensorSplit;
}

/** Adds a model's name, defenses and weights to a hash; a classifier's logits for the first images. */
function addModel(hash: Hash, { name, classifier, model }: OpenedModel, data: TensorSplit): void {
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

/**
 * Name of the folder that keeps an audit's trials: `audit-<budget>-<hash>`. The hash is of all that decides
 * the numbers, so that trials of another model, of other images or of another plan are never mixed in.
 */
export function auditName({ settings, opened, transfers, split, data }: AuditSubject): string {
  const { budgetName, norm, epsilon, budget, seed, claim } = settings;
  const decisive = { norm, epsilon, budget, seed, claim: claim.id };
  const hash = createHash("sha256").update(JSON.stringify(decisive));
  addModel(hash, opened, data);
  for (const [name, other] of Object.entries(transfers)) {
    hash.update(name);
    addModel(hash, other, data);
  }
  addContent(hash, split);
  return `audit-${budgetName}-${hash.digest("hex").slice(0, 8)}`;
}
