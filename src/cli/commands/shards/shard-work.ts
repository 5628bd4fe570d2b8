import type { Work } from "../../../base/index.js";
import {
  auditShard,
  evaluateShard,
  type Shard,
  type ShardEvent,
  type ShardResult,
} from "../../../evaluation/index.js";
import { imagesFrom } from "../../frame/inputs/images-from.js";
import { auditOptions } from "../audit/audit-options.js";
import { openAudit } from "../audit/open-audit.js";
import { evaluateOptions } from "../evaluate/evaluate-options.js";
import { evaluationOptions, subjectOf } from "../evaluate/subject.js";
import type { Request } from "./request.js";

/** Part of a request's work, and the folder in which its folder lies. */
export interface ShardPlace {
  readonly shard: Shard;
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Work of a shard of a request, in an object: to await the work itself would be to begin it. */
export async function shardWork(
  { command, operands, options, imports }: Request,
  place: ShardPlace,
): Promise<{ readonly work: Work<ShardEvent, ShardResult> }> {
  if (command === "audit") {
    const opened = await openAudit(auditOptions.parse(options), operands[0]!, {
      signal: place.signal,
      imports,
    });
    const { expectClean: _, ...asked } = opened.options;
    return { work: auditShard(opened.model, opened.images, { ...asked, ...place }) };
  }
  const given = evaluateOptions.parse(options);
  const images = await imagesFrom(given.images);
  const subject = await subjectOf(operands[0]!, given, images);
  const { expectClean: _, ...asked } = evaluationOptions(given, subject);
  return { work: evaluateShard(subject.opened.model, subject.images[given.split], { ...asked, ...place }) };
}
