import { majorityOf } from "../evaluation/answers.js";
import {
  type Audit,
  type AuditPlan,
  attackOf,
  curveRadii,
  curveTrial,
  roundingSurvivors,
  trialLabel,
  type WorstImage,
} from "../evaluation/audit/index.js";
import { renderSvg } from "../report/chart.js";
import { type Html, html, htmlImage, htmlPage, htmlTable } from "../report/html.js";
import { grayLevels, imagePng } from "../report/image-png.js";
import { type ChartSeries, lineChart } from "../report/line-chart.js";
import { interval, percent } from "../report/table.js";
import type { AuditRecord } from "./audit-files.js";
import { resolutionText, verdictMeaning, voteFigures } from "./audit-text.js";

/** Images shown on the page. */
const shownImages = 40;

/** An audit as one HTML page that loads nothing from anywhere. */
export async function auditPage(record: AuditRecord, worst: readonly WorstImage[]): Promise<string> {
  const { audit, plan, name } = record;
  const rounding = roundingSurvivors(worst);
  const resolution = resolutionText(audit);
  const figures = [
    ["clean images", audit.clean],
    [`claimed: ${attackOf(plan.claim)!.label}`, audit.claim],
    ["worst case of each image over all attacks in the ball", audit.worst],
    ...voteFigures(audit),
  ] as const;
  return htmlPage(`Audit of ${name}`, [
    html`<h1>Audit of ${name}</h1>
<p class="verdict">Verdict: <span class="${audit.verdict === "robust as claimed" ? "passed" : "masked"}">${audit.verdict}</span></p>
<p>${verdictMeaning[audit.verdict]}. ${plan.norm} radius ${plan.epsilon}; ${audit.images} test images of ${record.dataset}; ${drawsText(audit)}
Seed ${record.seed}, network ${record.network}${sqaText(record)}.</p>`,
    ...(resolution === undefined ? [] : [html`<p>${sentence(resolution)}</p>`]),
    htmlTable(
      ["accuracy", "%", "95 % interval"],
      figures.map(([title, a]) => [title, percent(a.accuracy), interval(a.low, a.high)]),
    ),
    html`<h2>Checklist</h2>`,
    htmlTable(
      ["", "question", "evidence", "source"],
      audit.lines.map((line) => [
        html`<span class="${line.outcome}">${line.outcome}</span>`,
        line.question,
        line.evidence,
        line.source,
      ]),
    ),
    html`<h2>Security curve</h2>`,
    { html: await renderSvg(securityChart(audit, plan)) },
    ...(audit.losses.length === 0 ? [] : [html`<h2>Convergence</h2>`, { html: await renderSvg(lossChart(audit)) }]),
    html`<h2>Attacks</h2>`,
    trialTable(audit),
    html`<h2>Adversarial images</h2>
<p>Each image clean, in its worst form, and the difference (gray: none). ${
      rounding === null ? "" : `Rounded to 8 bits, ${percent(rounding)} % of the images that fool the network still do.`
    }</p>`,
    html`<div class="images">${worst.slice(0, shownImages).map((image) => imageFigure(image, plan))}</div>`,
  ]);
}

/** Where SQA stands, and over what its minimum and maximum run: on the latter hangs whether a prediction is its image's own. */
function sqaText({ sqa }: AuditRecord): string {
  const layers = Object.entries(sqa ?? {}).map(([layer, { lambda, range, rounding }]) => {
    return `${layer} (lambda ${lambda}, range ${range}, ${rounding})`;
  });
  return layers.length === 0 ? "" : ` with SQA after ${layers.join(", ")}`;
}

const sentence = (text: string) => `${text[0]!.toUpperCase()}${text.slice(1)}.`;

function drawsText({ trials }: Audit): string {
  const draws = Math.max(...trials.map(({ answers }) => answers.draws));
  return draws === 1
    ? "one answer an image."
    : `${draws} fresh draws an image, none of which an attack saw; accuracy is that of one draw.`;
}

function securityChart(audit: Audit, plan: AuditPlan) {
  const byLabel = new Map(audit.trials.map((result) => [result.label, result]));
  const accuracyOf = (label: string) => byLabel.get(label)!.answers.mean();
  const pgd = curveRadii(plan).map((epsilon) => ({ x: epsilon, y: accuracyOf(trialLabel(curveTrial(plan, epsilon))) }));
  const others = audit.trials.filter(({ trial, label }) => {
    const attack = attackOf(trial);
    return (
      trial.shownTo === "network" &&
      attack?.traits.norm === plan.norm &&
      attack.traits.radius === plan.epsilon &&
      label !== trialLabel(curveTrial(plan, plan.epsilon))
    );
  });
  const series: ChartSeries[] = [
    { name: "PGD", points: [{ x: 0, y: audit.clean.accuracy }, ...pgd] },
    { name: "other attacks", points: others.map(({ label }) => ({ x: plan.epsilon, y: accuracyOf(label) })) },
    { name: "claimed", points: [{ x: plan.epsilon, y: audit.claim.accuracy }] },
    {
      name: "worst case of all",
      points: [{ x: plan.epsilon, y: audit.worst.accuracy, low: audit.worst.low, high: audit.worst.high }],
    },
  ];
  return lineChart({
    title: "Accuracy against epsilon",
    x: { label: `${plan.norm} radius` },
    y: { label: "accuracy", percent: true },
    series: series.filter(({ points }) => points.length > 0),
    height: 300,
  });
}

function lossChart({ losses }: Audit) {
  return lineChart({
    title: "Mean loss at each step of the standard attack",
    x: { label: "step" },
    y: { label: "cross-entropy" },
    series: [{ name: "loss", points: losses.map((y, x) => ({ x, y })) }],
    height: 220,
  });
}

function trialTable({ trials }: Audit): Html {
  const rows = trials.map(({ label, answers, passes, seconds }) => [
    label,
    percent(answers.mean()),
    percent(majorityOf(answers).accuracy),
    Math.round(passes.forward),
    Math.round(passes.backward),
    seconds.toFixed(1),
  ]);
  return htmlTable(["attack", "accuracy %", "majority %", "forward passes", "backward passes", "seconds"], rows);
}

function imageFigure(
  { clean, adversarial, label, trial, correct, position }: WorstImage,
  { subject }: AuditPlan,
): Html {
  const shape = subject.model.inputShape;
  const zoom = Math.max(1, Math.round(64 / shape[1]));
  const difference = adversarial.map((pixel, i) => (pixel - clean[i]! + 1) / 2);
  const caption = `${position}: label ${label}, right in ${percent(correct)} % of draws, ${attackOf(trial.trial)?.name ?? "clean"}`;
  const images = [clean, adversarial, difference].map((pixels) =>
    htmlImage(imagePng(grayLevels(pixels), shape, zoom), caption),
  );
  return html`<figure>${images}<figcaption>${caption}</figcaption></figure>`;
}
