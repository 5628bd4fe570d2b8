import { type Html, html, htmlFacts, htmlTable, interval, percent } from "../../../report/index.js";
import type { AuditJson } from "./schema/audit.js";

type Rows = readonly (readonly [name: string, value: string])[];

const given = (value: string | number | null) => (value === null ? "not given" : String(value));
const list = (sentences: readonly string[]) =>
  html`<ul>${sentences.map((one) => html`<li>${one}</li>`)}</ul>`;

/** Facts that others need to judge and repeat an audit. */
export function evidenceSection(audit: AuditJson): Html[] {
  const { evidence, clean, worst, claim } = audit;
  const figures = [...new Set([clean, claim, worst].map(({ method }) => method))];
  return [
    html`<h2>Threat model</h2>`,
    htmlFacts("Threat model", threatRows(audit)),
    html`<h2>Model</h2>`,
    htmlFacts("Model", modelRows(audit)),
    ...(evidence.model.notes.length === 0
      ? []
      : [html`<p>Found in its file:</p>`, list(evidence.model.notes)]),
    html`<h2>Images</h2>`,
    htmlFacts("Images", dataRows(audit)),
    html`<h2>Classes</h2>`,
    classTable(audit),
    html`<p>Intervals: ${evidence.perClassMethod}.</p>`,
    html`<h2>Without an attack</h2>`,
    htmlTable(
      ["accuracy under", "%", "95 % interval"],
      evidence.baselines.map(({ name, accuracy, low, high }) => [
        name,
        percent(accuracy),
        interval(low, high),
      ]),
    ),
    html`<h2>Statistics and randomness</h2>`,
    list([
      ...figures.map((method) => `method of the intervals: ${method}`),
      ...evidence.statistics,
      ...evidence.randomness,
    ]),
    html`<h2>Self-test of the audit</h2>`,
    html`<p>${selfTestText(evidence.selfTest)}</p>`,
    html`<h2>Not tested</h2>`,
    list(evidence.notTested),
    html`<h2>Environment</h2>`,
    htmlFacts("Environment", environmentRows(audit)),
    ...shardsSection(audit),
    html`<h2>Clauses that this report supports</h2>
<p>A report supports what somebody argues about a whole system. By itself it satisfies no clause.</p>`,
    htmlTable(
      ["document", "clause", "fields of audit.json"],
      evidence.supports.map(({ document, clause, fields }) => [document, clause, fields.join(", ")]),
    ),
  ];
}

/** Result of the audit's self-test in a sentence, or the reason for having none. */
function selfTestText({ result, reason }: AuditJson["evidence"]["selfTest"]): string {
  if (result === null) return `No result: ${reason}.`;
  const right = result.cases.filter(({ passed }) => passed).length;
  const verdicts = `${right} of ${result.cases.length} verdicts on known models were right`;
  const place = result.sameEnvironment
    ? "by the versions and kernels of this audit"
    : `by other versions or kernels: sqa ${result.sqa}, libtorch ${result.libtorch}, ` +
      `${result.kernels}, ${result.cpuCapability}`;
  return `${result.passed ? "Passed" : "Failed"}: ${verdicts}, ${result.finishedAt}, ${place}.`;
}

function threatRows({ evidence: { threatModel } }: AuditJson): Rows {
  const { goal, knowledge, capability, stage, epsilonText, epsilonNormalized, survives8Bit } = threatModel;
  return [
    ["goal", goal],
    ["knowledge", knowledge],
    ["capability", capability],
    ["stage of the life cycle", stage],
    ["radius", epsilonText],
    ...(epsilonNormalized === null
      ? []
      : [
          [
            "radius behind the normalization",
            epsilonNormalized.map((one) => one.toPrecision(4)).join(", "),
          ] as const,
        ]),
    [
      "survive rounding to 8 bits",
      survives8Bit === null ? "no image fools the model" : `${percent(survives8Bit)} %`,
    ],
  ];
}

function modelRows({ evidence: { model } }: AuditJson): Rows {
  const { file, weightsSha256, graph, parameters, inputShape, classes, outputs } = model;
  const { preprocessing, surrogates } = model;
  return [
    ["file", file === null ? "not given" : `${file.name} (${file.format})`],
    ["SHA-256 of the file", given(file?.sha256 ?? null)],
    ["SHA-256 of the weights", given(weightsSha256)],
    ...(graph === null ? [] : graphRows(graph)),
    ["weights", given(parameters)],
    ["input", inputShape.join(" x ")],
    ["classes", String(classes)],
    ["outputs", outputs],
    ["preprocessing", [preprocessing.where, ...preprocessing.steps].join("; ")],
    ["surrogates", surrogates.length === 0 ? "none" : surrogates.join(", ")],
    ["trained by", model.training === null ? "not given" : `run ${model.training.run}`],
  ];
}

function graphRows(graph: NonNullable<AuditJson["evidence"]["model"]["graph"]>): Rows {
  const { format, sha256, operators, blocked, random } = graph;
  const listed = (found: readonly string[]) => (found.length === 0 ? "none" : found.join(", "));
  return [
    ["format", format],
    ["SHA-256 of the graph, without names and weights", sha256],
    ["operators", String(operators)],
    ["operators that block gradients", listed(blocked)],
    ["random operators", listed(random)],
  ];
}

function dataRows({ evidence: { data } }: AuditJson): Rows {
  return [
    ["images", String(data.images)],
    ["SHA-256 of the manifest", data.manifestSha256],
    ["ids", data.ids],
    ["sampling", data.sampling],
    ["decoding", data.decoding],
    ["source and license", given(data.source)],
  ];
}

function classTable({ evidence }: AuditJson): Html {
  const rows = evidence.perClass.map(({ name, images, clean, worst }) => [
    name,
    images,
    percent(clean?.accuracy),
    clean === null ? "-" : interval(clean.low, clean.high),
    percent(worst?.accuracy),
    worst === null ? "-" : interval(worst.low, worst.high),
  ]);
  return htmlTable(["class", "images", "clean %", "95 % interval", "worst case %", "95 % interval"], rows);
}

function environmentRows({ environment, id, seed, batchSize }: AuditJson): Rows {
  const { shards: _, ...own } = environment;
  const rows = Object.entries({ ...own, audit: id, seed, batchSize });
  return rows.map(([name, value]) => [name, given(value)]);
}

/** Circumstances of shards, a row for each process that worked on one. */
function shardsSection({ environment: { shards = [] } }: AuditJson): Html[] {
  if (shards.length === 0) return [];
  const rows = shards.flatMap(({ shard, sittings }) =>
    sittings.map(({ host, sqa, libtorch, cpu, gpu, kernels, threads, startedAt, finishedAt }) => [
      shard,
      host,
      gpu ?? cpu,
      `${kernels}, ${threads}`,
      `${sqa}, ${libtorch}`,
      startedAt,
      finishedAt ?? "killed",
    ]),
  );
  const columns = ["shard", "machine", "processor", "kernels, threads", "sqa, libtorch", "began", "ended"];
  return [html`<p>Shards, each process that worked on them:</p>`, htmlTable(columns, rows)];
}
