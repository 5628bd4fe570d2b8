import { countText } from "../../../base/index.js";
import type {
  AttackEvaluation,
  Evaluation,
  Flag,
  VoteEvaluation,
  WorstCase,
} from "../../../evaluation/index.js";
import { formatRatio } from "../../../options/index.js";
import { interval, percent } from "../../../report/index.js";
import { printedTitles, shownLines, shownTable, toned } from "../../frame/look.js";
import { attackNames, callsShown } from "../../frame/words/attack-name.js";

/** Evaluation with what belongs to it beside the numbers. */
export interface Evaluated {
  /** Name of the run folder or the file. */
  readonly name: string;
  readonly evaluation: Evaluation;
  /** Texts of the model's defenses. */
  readonly defenses: readonly string[];
  /** Name of the images. */
  readonly data: string;
  readonly seed: number;
  /** Surrogate that was attacked. */
  readonly surrogate?: string | undefined;
  /** Origin of the model, as JSON tells it. */
  readonly origin: Readonly<Record<string, unknown>>;
}

/** Images attacked in a second, in three digits. */
export function imagesPerSecond(images: number, seconds: number): number {
  return Number((images / seconds).toPrecision(3));
}

/** An evaluation as `sqa evaluate --json` prints it: all but the answers to each image. */
export function evaluationJson({ evaluation, defenses, data, seed, surrogate, origin }: Evaluated): object {
  const { model, images, draws, clean, attacks, worstCases, flags } = evaluation;
  const withoutImages = <T extends { perImage: unknown }>({ perImage, ...rest }: T) => rest;
  return {
    model,
    defenses,
    ...origin,
    data,
    images,
    draws,
    seed,
    surrogate: surrogate ?? null,
    clean: withoutImages(clean),
    attacks: attacks.map(withoutImages),
    worstCases,
    flags,
  };
}

/** Subject of a table, which begins with `name` where tables of several models follow each other. */
function headingOf({ evaluation, defenses, data, surrogate }: Evaluated, name?: string): string {
  const { model, images, draws } = evaluation;
  return [
    ...(name === undefined || name === model ? [] : [name]),
    defenses.length === 0 ? model : `${model} with ${defenses.join(", ")}`,
    `${countText(images, "image")} of ${data}`,
    draws === 1 ? "one answer an image" : `${draws} fresh draws an image`,
    ...(surrogate === undefined ? [] : [`attacks made on ${surrogate}`]),
  ].join(" · ");
}

function distanceText({ distances }: AttackEvaluation): string {
  if (distances === undefined) return "";
  return `${distances.norm} ${distances.median.toPrecision(3)} / ${distances.mean.toPrecision(3)}`;
}

/** Ball of a worst case, as tables name it. */
const ballText = ({ norm, radius }: WorstCase) => `${norm} ${formatRatio(radius)}`;

/** Cell that a table has where its column is shown. */
const optional = (isShown: boolean, cell: string) => (isShown ? [cell] : []);

/** Columns and rows: clean images, each attack by its name, and worst cases of several attacks. */
function numbersOf({ images, clean, attacks, worstCases }: Evaluation, names: ReadonlyMap<string, string>) {
  const isVoted = clean.votes !== undefined;
  const hasDistances = attacks.some(({ distances }) => distances !== undefined);
  const majority = (votes: VoteEvaluation | undefined) =>
    optional(isVoted, votes === undefined ? "" : percent(votes.majority.accuracy));
  const withoutCost = [...optional(hasDistances, ""), "", "", "", ""];
  const rows = [
    [
      "clean",
      percent(clean.accuracy),
      interval(clean.low, clean.high),
      ...majority(clean.votes),
      ...withoutCost,
    ],
    ...attacks.map((row) => [
      names.get(row.attack)!,
      ...(row.error === undefined
        ? [percent(row.robustAccuracy), interval(row.low, row.high)]
        : ["failed", ""]),
      ...majority(row.votes),
      ...optional(hasDistances, distanceText(row)),
      ...(row.error === undefined
        ? [
            Math.round(row.passes.forward),
            Math.round(row.passes.backward),
            row.seconds.toFixed(1),
            imagesPerSecond(images, row.seconds),
          ]
        : ["", "", "", ""]),
    ]),
    ...worstCases
      .filter((worst) => worst.attacks > 1)
      .map((worst) => [
        `worst case of each image, ${ballText(worst)}`,
        percent(worst.accuracy),
        interval(worst.low, worst.high),
        ...majority(undefined),
        ...withoutCost,
      ]),
  ];
  const columns = [
    "attack",
    "accuracy %",
    "95 % interval",
    ...optional(isVoted, "majority %"),
    ...optional(hasDistances, "distance, median / mean"),
    ...["forward", "backward", "seconds", "images/s"],
  ];
  const align = columns.map((_, i) => (i === 0 ? ("left" as const) : ("right" as const)));
  return { columns, rows, align, droppable: ["forward", "backward", "images/s", "seconds", "majority %"] };
}

/** Remarks below a table of the columns that are printed, which a narrow terminal leaves some of out. */
function remarksOf(
  { draws, clean, attacks, flags }: Evaluation,
  names: ReadonlyMap<string, string>,
  titles: readonly string[],
  verbose: boolean,
): string[] {
  const passes = ["forward", "backward"].filter((title) => titles.includes(title));
  const votes = optional(titles.includes("majority %"), `majority: the vote of all ${draws} draws`);
  // An attack is named as its row is.
  const warningOf = ({ message, attack = "" }: Flag) =>
    message.replace(attack, () => names.get(attack) ?? attack);
  const failed = attacks.filter(({ error }) => error !== undefined);
  return [
    ...optional(
      clean.votes !== undefined,
      toned("aside", ["accuracy: the mean of one draw", ...votes].join("; ")),
    ),
    ...optional(
      passes.length > 0,
      toned("aside", `${passes.join(", ")}: passes of an image through the attacked model`),
    ),
    ...failed.map(({ attack, error }) =>
      toned("care", `${names.get(attack)} failed: ${callsShown(error!, verbose)}`),
    ),
    ...flags.map((flag) => toned("care", `warning: ${warningOf(flag)}`)),
  ];
}

/**
 * An evaluation as a table for a terminal, with its subject above and warnings below; the name of the run or
 * file too, where there are `several`.
 */
export function evaluationTable(evaluated: Evaluated, verbose = false, several = false): string {
  const { evaluation } = evaluated;
  const calls = evaluation.attacks.map(({ attack }) => attack);
  const names = attackNames(calls, verbose);
  const table = numbersOf(evaluation, names);
  return [
    ...shownLines([headingOf(evaluated, several ? evaluated.name : undefined)]),
    "",
    shownTable(table),
    "",
    ...shownLines(remarksOf(evaluation, names, printedTitles(table), verbose)),
  ].join("\n");
}

/** Several evaluations beside each other: a row for each model, a column for each attack. */
export function comparisonTable(all: readonly Evaluated[], verbose = false): string {
  const attacks = [
    ...new Set(all.flatMap(({ evaluation }) => evaluation.attacks.map(({ attack }) => attack))),
  ];
  const names = attackNames(attacks, verbose);
  const balls = [...new Set(all.flatMap(({ evaluation }) => evaluation.worstCases.map(ballText)))];
  const rows = all.map(({ name, evaluation }) => {
    const under = new Map(evaluation.attacks.map((row) => [row.attack, row.robustAccuracy]));
    const within = new Map(evaluation.worstCases.map((worst) => [ballText(worst), worst.accuracy]));
    return [
      name,
      percent(evaluation.clean.accuracy),
      ...attacks.map((attack) => percent(under.get(attack))),
      ...balls.map((ball) => percent(within.get(ball))),
    ];
  });
  const worst = balls.map((ball) => `worst case, ${ball}`);
  const columns = ["accuracy in %", "clean", ...attacks.map((attack) => names.get(attack)!), ...worst];
  const align = columns.map((_, i) => (i === 0 ? ("left" as const) : ("right" as const)));
  return shownTable({ columns, rows, align, droppable: worst });
}
