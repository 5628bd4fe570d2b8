import { labeledCalls } from "../../../attacks/index.js";
import { countText } from "../../../base/index.js";
import { formatRatio } from "../../../options/index.js";
import { interval, percent, renderTable, visibleWidth } from "../../../report/index.js";
import type { Accuracy } from "../../../trials/index.js";
import type { Outcome } from "../checks/index.js";
import type { OutcomeName } from "../criterion/requirement.js";
import { isTooPoor, resolutionText } from "../verdict/resolution.js";
import { isSound, type VerdictName } from "../verdict/verdict.js";
import { onlyGuesses, verdictMeaning } from "../verdict/verdict-text.js";
import type { AuditJson } from "./schema/audit.js";

/** Paints a part of a text, such as picocolors' `bold`. */
type Paint = (text: string) => string;

/** Form of a report's text. */
export interface TextOptions {
  /** Columns of the terminal, 100 where left out. */
  readonly width?: number | undefined;
  /** Colors, such as those of picocolors; none where left out. */
  readonly colors?: Readonly<Record<"bold" | "dim" | "green" | "red" | "yellow", Paint>> | undefined;
  /** Shows the evidence of passed checks, and whole calls; false where left out. */
  readonly verbose?: boolean | undefined;
}

const plain: Paint = (text) => text;
const noColors = { bold: plain, dim: plain, green: plain, red: plain, yellow: plain };

/** Accuracy of an audit with its name in reports, and whether images were attacked for it. */
export interface NamedFigure {
  readonly name: string;
  readonly value: Accuracy;
  readonly attacked: boolean;
}

/** Figures of an audit, the clean accuracy first. */
export function namedFigures(audit: AuditJson): NamedFigure[] {
  const { clean, claim, worst, worstMajority, worstEveryDraw, fixedSeed, perClassWorst, draws } = audit;
  const attacked = (name: string, value: Accuracy) => ({ name, value, attacked: true });
  const optional = (name: string, value: Accuracy | undefined) =>
    value === undefined ? [] : [attacked(name, value)];
  return [
    { name: "clean accuracy", value: clean, attacked: false },
    attacked(audit.claimGiven ? "under the claimed attack" : `under ${audit.claimedByLabel}`, claim),
    attacked("worst case of all attacks in the ball", worst),
    ...optional(`worst case, majority vote of ${countText(Math.floor(draws / 2), "draw")}`, worstMajority),
    ...optional(`worst case, correct in each of ${draws} draws`, worstEveryDraw),
    ...optional("fixed seed: AutoAttack with known noise", fixedSeed),
    ...optional("lowest worst case of a class", perClassWorst),
  ];
}

const order: readonly Outcome[] = ["invalid", "masked", "noted", "skipped", "passed"];

/** Lines of the checklist, failures first and passes last. */
export function orderedLines({ checklist }: AuditJson): AuditJson["checklist"] {
  return order.flatMap((outcome) => checklist.filter((line) => line.outcome === outcome));
}

/** Color of a verdict. */
export function toneOf(name: VerdictName): "green" | "yellow" | "red" {
  if (isSound(name)) return "green";
  return name === "inconclusive" ? "yellow" : "red";
}

/** Color of an outcome. */
export const outcomeTone: Readonly<Record<OutcomeName, "green" | "yellow" | "red">> = {
  pass: "green",
  undecided: "yellow",
  fail: "red",
};

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

/** Grounds of a verdict that its own text does not give already. */
export function reasonsShown({ verdict }: AuditJson): AuditJson["verdict"]["reasons"] {
  return verdict.reasons.filter(({ line, text }) => line !== undefined || !verdict.text.includes(text));
}

/** Grounds of a verdict, each a sentence. */
export function reasonTexts(audit: AuditJson): string[] {
  return reasonsShown(audit).map(({ line, text }) => (line === undefined ? text : `${line}: ${text}`));
}

/** Meaning of an audit's verdict, in a sentence without a full stop. */
export function meaningOf({ verdict, resolution, clean, evidence }: AuditJson): string {
  const few = isTooPoor(resolution);
  // An inconclusive verdict's grounds are that images are few, each error, and the strongest attack.
  const failed = verdict.reasons.length > (few ? 2 : 1);
  const guesses = onlyGuesses(clean, 1 / evidence.model.classes);
  return verdictMeaning(verdict.name, { few, failed, guesses });
}

/** An audit for a terminal: verdict and what decided it, outcome, figures, checklist. */
export function reportText(audit: AuditJson, options: TextOptions = {}): string {
  const { width = 100, colors = noColors, verbose = false } = options;
  const { bold, dim, green, red, yellow } = colors;
  const { verdict, images, outcome, resolution } = audit;
  const paint: Readonly<Record<Outcome, Paint>> = {
    passed: green,
    noted: yellow,
    masked: red,
    invalid: red,
    skipped: dim,
  };
  const columns = Math.max(40, width);
  const named = verbose ? plain : labeledCalls;
  const paragraph = (text: string, color: Paint, ...indents: string[]) =>
    wrapped(text, columns, ...indents)
      .map(color)
      .join("\n");
  const table = renderTable(
    {
      columns: [
        `${audit.norm} ${formatRatio(audit.epsilon)}, ${countText(images, "image")}`,
        "accuracy %",
        "95 % interval",
      ],
      rows: namedFigures(audit).map(({ name, value }) => [
        name,
        percent(value.accuracy),
        interval(value.low, value.high),
      ]),
    },
    "terminal",
    { heading: bold, rule: dim, width: columns },
  );
  const gap = " ".repeat(9);
  const checks = orderedLines(audit).map((line) => {
    const [first, ...more] = wrapped(`${line.name}: ${line.question}`, columns, gap);
    const asked = [`${paint[line.outcome](line.outcome.padEnd(8))} ${first!.trimStart()}`, ...more];
    const isFolded = line.outcome === "passed" && !verbose;
    return [...asked, ...(isFolded ? [] : [paragraph(named(line.evidence), dim, gap)])].join("\n");
  });
  const because = reasonTexts(audit).map((text) => paragraph(`because ${named(text)}`, plain, "    ", "  "));
  return [
    paragraph(named(verdict.text), colors[toneOf(verdict.name)], "  ", ""),
    ...because,
    paragraph(`${meaningOf(audit)}.`, plain),
    ...(verdict.name === "inconclusive" && isTooPoor(resolution)
      ? []
      : [paragraph(`${resolutionText(resolution, images)}.`, dim)]),
    ...(outcome === null
      ? []
      : outcomeLines(outcome).map((text) => paragraph(text, colors[outcomeTone[outcome.name]], "  ", ""))),
    ...audit.evidence.model.notes.map((note) => paragraph(`${note}.`, colors.yellow, "  ", "")),
    "",
    table,
    "",
    ...checks,
  ].join("\n");
}

/** Outcome of a criterion in lines. */
export function outcomeLines(outcome: NonNullable<AuditJson["outcome"]>): string[] {
  const { text, criterion, otherCriteria, baseline } = outcome;
  const written = criterion && `required, as written ${criterion.writtenAt}: ${criterion.require}`;
  const others = otherCriteria.map(
    (other) => `also written for this audit, ${other.writtenAt}: ${other.require}`,
  );
  return [text, ...(written === undefined ? [] : [written]), ...others, ...(baseline?.remarks ?? [])];
}
