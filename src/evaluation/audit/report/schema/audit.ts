import * as z from "zod";
import { mostDraws } from "../../../../trials/index.js";
import { environment, evidence } from "./evidence.js";
import {
  budget,
  convergence,
  count,
  curve,
  figure,
  line,
  norm,
  outcome,
  passes,
  sha256,
  share,
  verdict,
} from "./parts.js";

/** Version of the form of audit.json: another number where a reader of the old one would fail. */
export const auditSchemaVersion = "sqa-audit/2";

const trial = z.strictObject({
  trial: z.string(),
  label: z.string().describe("short name"),
  attack: z.string().nullable(),
  options: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe("all options of the attack, defaults too; `inside` has the attacks that it is made of"),
  attacked: z.string(),
  shownTo: z.string(),
  by: z.enum(["clean", "gradients", "others"]),
  radius: z.number().nullable().describe("bound of the perturbation in `norm`"),
  norm,
  onCurve: z.boolean().describe("part of the security curve"),
  accuracy: share,
  majority: share,
  draws: count.max(mostDraws),
  passes,
  seconds: z.number().min(0),
  stoppedBy: z.string().optional(),
});

const image = z.strictObject({
  position: count,
  sha256: sha256.describe("of its pixels and label"),
  label: count,
  predicted: count.describe("class most often given to the worst form"),
  brokenBy: z.string().nullable(),
  norm,
  length: z.number().min(0),
  passes,
  successRate: share,
  successRateRounded: share,
  correct: z
    .strictObject({ clean: share, worst: share })
    .describe("shares of draws that are correct on the clean image and in the worst case"),
});

/** Content of audit.json. */
export const auditSchema = z
  .strictObject({
    schema: z.literal(auditSchemaVersion),
    model: z.string(),
    defenses: z.array(z.string()),
    data: z.string(),
    id: z.string(),
    seed: count,
    batchSize: count,
    transfers: z.array(z.string()),
    verdict,
    outcome: outcome.nullable().describe("outcome of what was required; null where nothing was"),
    norm: z.enum(["linf", "l2"]),
    epsilon: z.number().gt(0),
    claimedBy: z.string().describe("attack of the claim; without a claim, the audit's reference attack"),
    claimedByLabel: z.string(),
    claimGiven: z.boolean().describe("false where nobody has claimed the accuracy under the attack"),
    budget,
    images: count,
    draws: count.max(mostDraws),
    resolution: z.strictObject({ points: z.number().nullable(), bound: z.number() }),
    clean: figure,
    claim: figure,
    worst: figure,
    worstMajority: figure.optional(),
    worstEveryDraw: figure.optional(),
    fixedSeed: figure.optional().describe("mean over fixed seeds, of a randomized model"),
    perClassWorst: figure.optional().describe("lowest of the classes' worst cases"),
    survivesRounding: share.nullable(),
    checklist: z.array(line),
    curves: z.array(curve),
    convergence: z.array(convergence),
    losses: z.array(z.number()),
    trials: z.array(trial),
    failed: z.array(z.strictObject({ trial: z.string(), error: z.string() })),
    perImage: z.array(image),
    evidence,
    environment,
  })
  .describe("Findings of an audit by sqa, with the evidence for them. Shares lie in [0, 1].");

/** Findings of an audit as audit.json holds them. */
export type AuditJson = z.output<typeof auditSchema>;

/** JSON schema of audit.json, as the package publishes it. */
export function auditJsonSchema(): object {
  return { title: auditSchemaVersion, ...z.toJSONSchema(auditSchema, { target: "draft-2020-12" }) };
}
