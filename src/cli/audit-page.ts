import { type Audit, type AuditPlan, attackOf, roundingSurvivors, type WorstImage } from "../evaluation/audit/index.js";
import { renderSvg } from "../report/chart.js";
import { type Html, html, htmlImage, htmlPage, htmlTable } from "../report/html.js";
import { grayLevels, imagePng } from "../report/image-png.js";
import { interval, percent } from "../report/table.js";
import { majorityOf } from "../trials/answers.js";
import { convergenceCharts, securityChart } from "./audit-charts.js";
import type { AuditRecord } from "./audit-files.js";
import { resolutionText, verdictMeaning, voteFigures } from "./audit-text.js";
import { imagesPerSecond } from "./evaluation-text.js";

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
    await chartHtml(securityChart(audit, plan)),
    html`<h2>Convergence</h2>`,
    html`<div class="charts">${await Promise.all(convergenceCharts(audit).map(chartHtml))}</div>`,
    html`<h2>Attacks</h2>`,
    trialTable(audit),
    html`<h2>Adversarial images</h2>
<p>Each image clean, in its worst form, and the difference (gray: none). ${
      rounding === null ? "" : `Rounded to 8 bits, ${percent(rounding)} % of the images that fool the network still do.`
    }</p>`,
    html`<div class="images">${worst.slice(0, shownImages).map((image) => imageFigure(image, plan))}</div>`,
  ]);
}

async function chartHtml(spec: Parameters<typeof renderSvg>[0]): Promise<Html> {
  return { html: await renderSvg(spec) };
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

function trialTable({ trials }: Audit): Html {
  const rows = trials.map(({ label, answers, passes, seconds }) => [
    label,
    percent(answers.mean()),
    percent(majorityOf(answers).accuracy),
    Math.round(passes.forward),
    Math.round(passes.backward),
    seconds.toFixed(1),
    imagesPerSecond(answers.images, seconds),
  ]);
  const cost = ["forward passes", "backward passes", "seconds", "images/s"];
  return htmlTable(["attack", "accuracy %", "majority %", ...cost], rows);
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
