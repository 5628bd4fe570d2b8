import { type Audit, type AuditPlan, fewestThatDiffer, negligible, type Outcome } from "../evaluation/audit/index.js";
import type { Accuracy } from "../evaluation/index.js";
import { interval, percent, renderTable } from "../report/table.js";
import type { AuditFiles } from "./audit-files.js";
import { colors } from "./frame/output.js";

/** What each verdict means, in a sentence. */
export const verdictMeaning: Readonly<Record<Audit["verdict"], string>> = {
  "robust as claimed": "no attack in the ball left clearly less than claimed, and nothing hides gradients",
  "not robust": "attacks in the ball leave no more than chance",
  overstated: "attacks in the same ball leave clearly less than claimed",
  masked: "attacks by gradients fail for another reason than robustness, so the claim says little",
  invalid: "the network or the claimed attack does not do what an evaluation takes for granted",
};

/** How much so many images can tell; undefined of a randomized network, whose images differ by shares, where there are enough. */
export function resolutionText({ images, majority }: Audit): string | undefined {
  if (images < fewestThatDiffer) {
    return `nothing is proved on fewer than ${fewestThatDiffer} images: no comparison can fail`;
  }
  if (majority !== undefined) return undefined;
  const points = Math.max(negligible, (100 * fewestThatDiffer) / images);
  return `with ${images} images a difference below ${Number(points.toFixed(1))} points can go unseen`;
}

/** A randomized network's figures beside the accuracy of one draw, with what each is of. */
export function voteFigures({ majority, everyDraw, trials }: Audit): [name: string, value: Accuracy][] {
  if (majority === undefined || everyDraw === undefined) return [];
  const draws = Math.max(...trials.map(({ answers }) => answers.draws));
  return [
    [`worst case, majority vote of ${Math.floor(draws / 2)} draws`, majority],
    [`worst case, right in each of ${draws} draws (whoever may ask so often)`, everyDraw],
  ];
}

/** An audit for a terminal: verdict, figures, checklist, trials, files. */
export function auditText(audit: Audit, plan: AuditPlan, files: AuditFiles): string {
  const { bold, dim, green, red, yellow } = colors("stdout");
  const paint: Readonly<Record<Outcome, (text: string) => string>> = {
    passed: green,
    noted: yellow,
    masked: red,
    invalid: red,
    skipped: dim,
  };
  const good = audit.verdict === "robust as claimed";
  const figures = [
    ["clean", audit.clean],
    ["claimed", audit.claim],
    ["worst case of each image", audit.worst],
    ...voteFigures(audit),
  ] as const;
  const figureTable = renderTable(
    {
      columns: [`${plan.norm} ${plan.epsilon}, ${audit.images} images`, "accuracy %", "95 % interval"],
      rows: figures.map(([name, value]) => [name, percent(value.accuracy), interval(value.low, value.high)]),
    },
    "terminal",
    { heading: bold, rule: dim },
  );
  const lines = audit.lines.map(
    ({ outcome, question, evidence }) => `${paint[outcome](outcome.padEnd(8))}${question}\n        ${dim(evidence)}`,
  );
  const resolution = resolutionText(audit);
  return [
    `${bold("verdict:")} ${(good ? green : red)(bold(audit.verdict))} – ${verdictMeaning[audit.verdict]}`,
    ...(resolution === undefined ? [] : [dim(resolution)]),
    "",
    figureTable,
    "",
    ...lines,
    "",
    dim(`report: ${files.html}`),
    dim(`numbers: ${files.json}; worst images: ${files.images}`),
  ].join("\n");
}
