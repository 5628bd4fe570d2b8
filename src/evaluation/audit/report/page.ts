import { countText } from "../../../base/index.js";
import { formatRatio } from "../../../options/index.js";
import { type Html, html, htmlPage, htmlTable, interval, percent, renderSvg } from "../../../report/index.js";
import { resolutionText } from "../verdict/resolution.js";
import { convergenceCharts, securityChart } from "./charts.js";
import { evidenceSection } from "./page-evidence.js";
import { imageSection } from "./page-gallery.js";
import type { ImagePair } from "./page-images.js";
import type { AuditJson } from "./schema/audit.js";
import {
  meaningOf,
  namedFigures,
  orderedLines,
  outcomeLines,
  outcomeTone,
  reasonsShown,
  reasonTexts,
  toneOf,
} from "./text.js";

/**
 * An audit as one HTML page that loads nothing from anywhere, and runs nothing.
 *
 * @param images pixels in the order of the audit's images; none where they are gone
 */
export async function reportPage(audit: AuditJson, images: readonly ImagePair[]): Promise<string> {
  const charts = await Promise.all(convergenceCharts(audit).map(chartHtml));
  return htmlPage(`Audit of ${audit.model}`, [
    html`<h1>Audit of ${audit.model}</h1>`,
    verdictBox(audit),
    ...outcomeBox(audit),
    html`<p>${aboutText(audit)}</p>`,
    htmlTable(
      ["accuracy", "%", "95 % interval"],
      namedFigures(audit).map(({ name, value }) => [
        name,
        percent(value.accuracy),
        interval(value.low, value.high),
      ]),
    ),
    html`<h2>Checklist</h2>`,
    checklist(audit),
    html`<h2>Security curve</h2>`,
    await chartHtml(securityChart(audit)),
    html`<h2>Convergence</h2>`,
    html`<div class="charts">${charts}</div>`,
    html`<h2>Attacks</h2>`,
    trialTable(audit),
    ...failures(audit),
    ...imageSection(audit, images),
    ...evidenceSection(audit),
  ]);
}

const sentence = (text: string) => `${text[0]!.toUpperCase()}${text.slice(1)}.`;
const tones = { green: "passed", yellow: "noted", red: "masked" } as const;

type Spec = Parameters<typeof renderSvg>[0];

/** Tag of an SVG with its attributes, and those of them that are for screen readers. */
const svgTag = /<[a-z]+(?: [\w:-]+="[^"]*")+\/?>/gi;
const ofReaders = / (?:role|aria-[a-z]+)="[^"]*"/g;

/** Chart as one image with a name, whose parts a screen reader does not go through. */
async function chartHtml(spec: Spec): Promise<Html> {
  const svg = (await renderSvg(spec)).replace(svgTag, (tag) => tag.replace(ofReaders, ""));
  return html`<div class="chart" role="img" aria-label="${titleOf(spec)}">${{ html: svg }}</div>`;
}

/** Title of a chart with its subtitle, whose lines are one text. */
function titleOf({ title }: Spec): string {
  if (typeof title !== "object" || Array.isArray(title)) return [title ?? "chart"].flat().join(" ");
  const { text, subtitle = [] } = title as { text: string | string[]; subtitle?: string | string[] };
  return [[text].flat().join(" "), ...[subtitle].flat()].join("; ");
}

/** The verdict, with the checks and figures that decided it and links to the checks. */
function verdictBox(audit: AuditJson): Html {
  const { verdict, images, resolution } = audit;
  const known = new Set(audit.checklist.map(({ name }) => name));
  const reasons = reasonsShown(audit).map(({ line, text }, i) =>
    line === undefined || !known.has(line)
      ? html`<li>${reasonTexts(audit)[i]!}</li>`
      : html`<li><a href="#${line}">${line}</a>: ${text}</li>`,
  );
  return html`<section class="verdict ${tones[toneOf(verdict.name)]}">
<p><strong>${sentence(verdict.text)}</strong></p>
<p>Because:</p><ul>${reasons}</ul>
<p class="plain">${sentence(meaningOf(audit))} ${sentence(resolutionText(resolution, images))}</p>
</section>`;
}

/** Outcome of what was required, if anything was. */
function outcomeBox({ outcome }: AuditJson): Html[] {
  if (outcome === null) return [];
  const [first, ...rest] = outcomeLines(outcome);
  const others = rest.map((text) => html`<p class="plain">${sentence(text)}</p>`);
  return [
    html`<section class="verdict ${tones[outcomeTone[outcome.name]]}">
<p><strong>${sentence(first!)}</strong></p>${others}
</section>`,
  ];
}

function aboutText(audit: AuditJson): string {
  const { norm, epsilon, images, data, draws, seed, defenses, environment, claimGiven, claimedBy } = audit;
  const answers =
    draws === 1
      ? "one answer an image"
      : `${draws} fresh draws an image, none of which an attack saw; accuracy is that of one draw`;
  const defended = defenses.length === 0 ? "" : `, defended by ${defenses.join(", ")}`;
  const claim = claimGiven
    ? `Claimed attack: ${claimedBy}.`
    : `Nobody has given a claim; ${claimedBy} is a reference.`;
  return (
    `${norm} radius ${formatRatio(epsilon)}; ${countText(images, "image")} of ${data}; ${answers}. ` +
    `${claim} Seed ${seed}${defended}. Finished ${environment.finishedAt} with sqa ${environment.sqa}.`
  );
}

/** The checklist: failures first, passes folded. */
function checklist(audit: AuditJson): Html {
  const lines = orderedLines(audit);
  const passed = lines.filter(({ outcome }) => outcome === "passed");
  const others = lines.filter(({ outcome }) => outcome !== "passed").map(lineHtml);
  const counted = `${countText(passed.length, "check")} passed`;
  const folded = html`<details><summary>${counted}</summary>
${passed.map(lineHtml)}</details>`;
  return html`<div class="lines">${others}${passed.length === 0 ? [] : folded}</div>`;
}

function lineHtml({ name, outcome, question, evidence, source }: AuditJson["checklist"][number]): Html {
  return html`<div class="line" id="${name}"><span class="${outcome}">${outcome}</span>
<div><strong>${question}</strong><p>${evidence}</p><p class="source">${name}; ${source}</p></div></div>`;
}

function trialTable({ trials, images }: AuditJson): Html {
  const rows = trials.map((trial) => [
    html`<span title="${trial.trial}">${trial.label}</span>`,
    percent(trial.accuracy),
    percent(trial.majority),
    Math.round(trial.passes.forward),
    Math.round(trial.passes.backward),
    trial.seconds.toFixed(1),
    trial.seconds === 0 ? "-" : Number((images / trial.seconds).toPrecision(3)),
  ]);
  const cost = ["forward passes", "backward passes", "seconds", "images/s"];
  const calls = trials.map(({ label, trial }) => html`<li>${label}: <code>${trial}</code></li>`);
  return html`${htmlTable(["attack", "accuracy %", "majority %", ...cost], rows)}
<details><summary>Attacks with all their options</summary><ul>${calls}</ul></details>`;
}

/** Attacks that ended in an error, if any. */
function failures({ failed }: AuditJson): Html[] {
  const rows = failed.map(({ trial, error }) => [trial, error]);
  return rows.length === 0
    ? []
    : [html`<h2>Attacks that ended in an error</h2>`, htmlTable(["attack", "error"], rows)];
}
