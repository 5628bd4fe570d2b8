import { formatRatio } from "../../../options/index.js";
import {
  grayLevels,
  type Html,
  html,
  htmlImage,
  htmlPage,
  htmlTable,
  imagePng,
  interval,
  percent,
  renderSvg,
} from "../../../report/index.js";
import { majorityOf } from "../../../trials/index.js";
import { roundingSurvivors, type WorstImage } from "../worst-images.js";
import { convergenceCharts, securityChart } from "./charts.js";
import { drawsOf, type ReportData } from "./data.js";
import { figuresOf, notesOf, resolutionText, verdictMeaning } from "./text.js";

/** Images shown on the page. */
const shownImages = 40;

/** An audit as one HTML page that loads nothing from anywhere. */
export async function reportPage(data: ReportData): Promise<string> {
  const { conclusion, plan, worst, subject } = data;
  const { name } = subject.opened;
  const rounding = roundingSurvivors(worst);
  const resolution = resolutionText(data);
  const { verdict } = conclusion;
  const tone = verdict.name === "claim holds" ? "passed" : "masked";
  return htmlPage(`Audit of ${name}`, [
    html`<h1>Audit of ${name}</h1>
<p class="verdict"><span class="${tone}">${sentence(verdict.text)}</span></p>
<p>${sentence(verdictMeaning[verdict.name])} ${plan.norm} radius ${formatRatio(plan.epsilon)};
${conclusion.images} images of ${subject.split.name}; ${drawsText(data)}
Seed ${subject.settings.seed}${defensesText(data)}.</p>`,
    ...(resolution === undefined ? [] : [html`<p>${sentence(resolution)}</p>`]),
    ...(notesOf(data).length === 0 ? [] : [html`<h2>Found in the model's file</h2>`, notesList(data)]),
    htmlTable(
      ["accuracy", "%", "95 % interval"],
      figuresOf(data).map(([title, a]) => [title, percent(a.accuracy), interval(a.low, a.high)]),
    ),
    html`<h2>Checklist</h2>`,
    htmlTable(
      ["", "question", "evidence", "source"],
      conclusion.lines.map((line) => [
        html`<span class="${line.outcome}">${line.outcome}</span>`,
        line.question,
        line.evidence,
        line.source,
      ]),
    ),
    html`<h2>Security curve</h2>`,
    await chartHtml(securityChart(data)),
    html`<h2>Convergence</h2>`,
    html`<div class="charts">${await Promise.all(convergenceCharts(data).map(chartHtml))}</div>`,
    html`<h2>Attacks</h2>`,
    trialTable(data),
    ...failures(data),
    html`<h2>Adversarial images</h2>
<p>Each image clean, in its worst form, and the difference (gray: none). ${
      rounding === null
        ? ""
        : `Rounded to 8 bits, ${percent(rounding)} % of the images that fool the model still do.`
    }</p>`,
    html`<div class="images">${worst.slice(0, shownImages).map((image) => imageFigure(image, data))}</div>`,
  ]);
}

const notesList = (data: ReportData) =>
  html`<ul>${notesOf(data).map((finding) => html`<li>${sentence(finding)}</li>`)}</ul>`;

async function chartHtml(spec: Parameters<typeof renderSvg>[0]): Promise<Html> {
  return { html: await renderSvg(spec) };
}

function defensesText({ subject }: ReportData): string {
  const { defenses = [] } = subject.opened.model ?? {};
  return defenses.length === 0 ? "" : `, defended by ${defenses.join(", ")}`;
}

const sentence = (text: string) => `${text[0]!.toUpperCase()}${text.slice(1)}.`;

function drawsText(data: ReportData): string {
  const draws = drawsOf(data);
  return draws === 1
    ? "one answer an image."
    : `${draws} fresh draws an image, none of which an attack saw; accuracy is that of one draw.`;
}

function trialTable({ conclusion }: ReportData): Html {
  const rows = conclusion.trials.map(({ trial, answers, passes, seconds }) => [
    trial.id,
    percent(answers.mean()),
    percent(majorityOf(answers).accuracy),
    Math.round(passes.forward),
    Math.round(passes.backward),
    seconds.toFixed(1),
    Number((answers.images / seconds).toPrecision(3)),
  ]);
  const cost = ["forward passes", "backward passes", "seconds", "images/s"];
  return htmlTable(["attack", "accuracy %", "majority %", ...cost], rows);
}

/** Attacks that ended in an error, if any. */
function failures({ conclusion }: ReportData): Html[] {
  const rows = conclusion.failed.map(({ trial, error }) => [trial.id, error.message]);
  return rows.length === 0
    ? []
    : [html`<h2>Attacks that ended in an error</h2>`, htmlTable(["attack", "error"], rows)];
}

function imageFigure(
  { clean, adversarial, label, trial, correct, position }: WorstImage,
  { plan, subject }: ReportData,
) {
  const shape = plan.players.model.inputShape;
  const zoom = Math.max(1, Math.round(64 / shape[1]));
  const difference = adversarial.map((pixel, i) => (pixel - clean[i]! + 1) / 2);
  const name = subject.split.classNames?.[label] ?? label;
  const caption =
    `${position}: label ${name}, correct in ${percent(correct)} % of draws, ` +
    `${trial.trial.attack?.name ?? "clean"}`;
  const drawable = shape[0] === 1 || shape[0] === 3 ? [clean, adversarial, difference] : [];
  const images = drawable.map((pixels) => htmlImage(imagePng(grayLevels(pixels), shape, zoom), caption));
  return html`<figure>${images}<figcaption>${caption}</figcaption></figure>`;
}
