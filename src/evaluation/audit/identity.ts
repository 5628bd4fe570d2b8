import { createHash } from "node:crypto";
import { packageVersion } from "../../base/index.js";
import { addContent, type Split, type TensorSplit } from "../../datasets/index.js";
import type { OpenedModel } from "../../trials/index.js";
import { addModel } from "../model-hash.js";
import type { AuditSettings } from "./options.js";

/** All that decides the numbers of an audit. */
export interface AuditSubject {
  readonly settings: AuditSettings;
  readonly opened: OpenedModel;
  readonly transfers: Readonly<Record<string, OpenedModel>>;
  readonly split: Split;
  readonly data: TensorSplit;
}

/**
 * Name of the folder that keeps an audit's trials: `audit-<budget>-<hash>`. The hash is of all that decides
 * the numbers, so that trials of another model, images, plan or version of sqa are never mixed in.
 */
export function auditName({ settings, opened, transfers, split, data }: AuditSubject): string {
  const { budgetName, norm, epsilon, budget, seed, claim } = settings;
  const decisive = { sqa: packageVersion(), norm, epsilon, budget, seed, claim: claim.id };
  const hash = createHash("sha256").update(JSON.stringify(decisive));
  addModel(hash, opened, data);
  for (const [name, other] of Object.entries(transfers)) {
    hash.update(name);
    addModel(hash, other, data);
  }
  addContent(hash, split);
  return `audit-${budgetName}-${hash.digest("hex").slice(0, 8)}`;
}
