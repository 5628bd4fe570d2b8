import { formatRatio } from "../../../options/index.js";
import { interval, percent, renderTable, visibleWidth } from "../../../report/index.js";
import type { Accuracy } from "../../../trials/index.js";
import type { Outcome } from "../checks/index.js";
import { fewestThatDiffer, negligible } from "../difference.js";
import type { VerdictName } from "../verdict.js";
import { drawsOf, type ReportData } from "./data.js";

/** Paints a part of a text, such as picocolors' `bold`. */
type Paint = (text: string) => string;

/** Form of a report's text. */
export interface TextOptions {
  /** Columns of the terminal, 100 where left out. */
  readonly width?: number | undefined;
  /** Colors, such as those of picocolors; none where left out. */
  readonly colors?: Readonly<Record<"bold" | "dim" | "green" | "red" | "yellow", Paint>> | undefined;
}

const plain: Paint = (text) => text;
const noColors = { bold: plain, dim: plain, green: plain, red: plain, yellow: plain };

/** Meaning of each verdict, in a sentence without a full stop. */
export const verdictMeaning: Readonly<Record<VerdictName, string>> = {
  "claim holds":
    "no attack in the ball lowers the accuracy clearly below the claim, and nothing hides gradients",
  "not robust": "attacks in the ball lower the accuracy to no more than chance",
  overstated: "attacks in the same ball lower the accuracy clearly below the claim",
  masked: "attacks by gradients fail for another reason than robustness, so the claim says little",
  invalid: "the model or the claimed attack breaks an assumption of every evaluation",
};

/** Smallest difference that the images can show; undefined for enough images of a randomized model. */
export function resolutionText({ conclusion }: ReportData): string | undefined {
  const { images, majority } = conclusion;
  if (images < fewestThatDiffer) {
    const few = `fewer than ${fewestThatDiffer} images`;
    return `no comparison of attacks can fail on ${few}, so passed lines prove nothing`;
  }
  // Images of a randomized model differ by shares.
  if (majority !== undefined) return undefined;
  const points = Math.max(negligible, (100 * fewestThatDiffer) / images);
  const smallest = Number(points.toFixed(1));
  return `with ${images} images a difference of attacks below ${smallest} points can go unseen`;
}

/** Findings in the file of an exported model. */
export function notesOf({ subject }: ReportData): readonly string[] {
  return subject.opened.model?.notes ?? [];
}

/** Figures of an audit with their names. */
export function figuresOf(data: ReportData): [name: string, value: Accuracy][] {
  const { clean, claim, worst, majority, everyDraw } = data.conclusion;
  const draws = drawsOf(data);
  return [
    ["clean accuracy", clean],
    ["under the claimed attack", claim],
    ["worst case of all attacks in the ball", worst],
    ...(majority === undefined || everyDraw === undefined
      ? []
      : ([
          [`worst case, majority vote of ${Math.floor(draws / 2)} draws`, majority],
          [`worst case, correct in each of ${draws} draws`, everyDraw],
        ] as [string, Accuracy][])),
  ];
}

/** Breaks a text at words, so that no line is wider than `width`, and indents its lines. */
function wrapped(text: string, width: number, indent = "", first = indent): string[] {
  const lines = [first];
  // A number stays with its percent sign.
  for (const word of text.split(/ (?!%)/)) {
    const line = lines.at(-1)!;
    const isEmpty = line.trim() === "";
    const longer = isEmpty ? line + word : `${line} ${word}`;
    if (isEmpty || visibleWidth(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(indent + word);
  }
  return lines;
}

/** An audit for a terminal: verdict, figures, checklist. */
export function reportText(data: ReportData, { width = 100, colors = noColors }: TextOptions): string {
  const { bold, dim, green, red, yellow } = colors;
  const { verdict, images, lines } = data.conclusion;
  const paint: Readonly<Record<Outcome, Paint>> = {
    passed: green,
    noted: yellow,
    masked: red,
    invalid: red,
    skipped: dim,
  };
  const columns = Math.max(40, width);
  const paragraph = (text: string, color: Paint, ...indents: string[]) =>
    wrapped(text, columns, ...indents)
      .map(color)
      .join("\n");
  const table = renderTable(
    {
      columns: [
        `${data.plan.norm} ${formatRatio(data.plan.epsilon)}, ${images} images`,
        "accuracy %",
        "95 % interval",
      ],
      rows: figuresOf(data).map(([name, value]) => [
        name,
        percent(value.accuracy),
        interval(value.low, value.high),
      ]),
    },
    "terminal",
    { heading: bold, rule: dim, width: columns },
  );
  const gap = " ".repeat(9);
  const checks = lines.map(({ outcome, question, evidence }) => {
    const [first, ...more] = wrapped(question, columns, gap);
    const asked = [`${paint[outcome](outcome.padEnd(8))} ${first!.trimStart()}`, ...more];
    return [...asked, paragraph(evidence, dim, gap)].join("\n");
  });
  const resolution = resolutionText(data);
  return [
    paragraph(verdict.text, verdict.name === "claim holds" ? green : red, "  ", ""),
    paragraph(`${verdictMeaning[verdict.name]}.`, plain),
    ...(resolution === undefined ? [] : [paragraph(`${resolution}.`, dim)]),
    ...notesOf(data).map((finding) => paragraph(`${finding}.`, yellow, "  ", "")),
    "",
    table,
    "",
    ...checks,
  ].join("\n");
}
