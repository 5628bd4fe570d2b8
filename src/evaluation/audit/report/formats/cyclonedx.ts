import { createHash } from "node:crypto";
import { formatRatio } from "../../../../options/index.js";
import { isDoubtful } from "../../verdict/verdict.js";
import type { AuditJson } from "../schema/audit.js";
import { namedFigures } from "../text.js";

/** UUID (version 5 in form) of a text: the same audit has the same serial number. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex[16]!, 16) & 3) | 8).toString(16);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`];
  return [...parts, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}

function metricsOf(audit: AuditJson) {
  const ball = `${audit.norm} ${formatRatio(audit.epsilon)}`;
  const metric = (type: string, slice: string, found: { accuracy: number; low: number; high: number }) => ({
    type,
    value: String(found.accuracy),
    slice,
    confidenceInterval: { lowerBound: String(found.low), upperBound: String(found.high) },
  });
  const classes = audit.evidence.perClass.flatMap(({ name, worst }) =>
    worst === null ? [] : [metric("worst-case accuracy", `class ${name}, ${ball}`, worst)],
  );
  return [
    ...namedFigures(audit).map(({ name, value, attacked }) =>
      attacked ? metric("robust accuracy", `${name}, ${ball}`, value) : metric(name, "all", value),
    ),
    ...classes,
  ];
}

/** Findings of an audit as a CycloneDX 1.6 bill of materials with the model's card. */
export function cycloneDx(audit: AuditJson): object {
  const { evidence, environment, verdict } = audit;
  const { file, weightsSha256, graph } = evidence.model;
  const properties = Object.entries({
    "sqa:audit:id": audit.id,
    "sqa:audit:verdict": verdict.text,
    "sqa:audit:outcome": audit.outcome?.text,
    "sqa:audit:weightsSha256": weightsSha256 ?? undefined,
    "sqa:audit:graphSha256": graph?.sha256,
    "sqa:audit:manifestSha256": evidence.data.manifestSha256,
    "sqa:audit:claimedBy": audit.claimGiven ? audit.claimedBy : undefined,
  }).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(`${audit.id} ${environment.finishedAt}`)}`,
    version: 1,
    metadata: {
      timestamp: environment.finishedAt,
      tools: { components: [{ type: "application", name: "sqa", version: environment.sqa }] },
      ...(environment.author === null ? {} : { authors: [{ name: environment.author }] }),
    },
    components: [
      {
        type: "machine-learning-model",
        "bom-ref": "model",
        name: audit.model,
        ...(file === null ? {} : { hashes: [{ alg: "SHA-256", content: file.sha256 }] }),
        modelCard: {
          modelParameters: {
            task: "image classification",
            datasets: [{ ref: "images" }],
            inputs: [{ format: `image, ${evidence.model.inputShape.join(" x ")}, pixels in [0, 1]` }],
            outputs: [{ format: `${evidence.model.classes} classes: ${evidence.model.outputs}` }],
          },
          quantitativeAnalysis: { performanceMetrics: metricsOf(audit) },
          considerations: {
            technicalLimitations: [
              ...(isDoubtful(verdict.name) ? [`verdict of the audit: ${verdict.text}`] : []),
              ...evidence.statistics,
              ...evidence.notTested.map((one) => `not tested: ${one}`),
            ],
          },
        },
        properties,
      },
      {
        type: "data",
        "bom-ref": "images",
        name: audit.data,
        description: evidence.data.sampling,
        hashes: [{ alg: "SHA-256", content: evidence.data.manifestSha256 }],
      },
    ],
  };
}
