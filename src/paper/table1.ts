import type { Precision } from "../nn/index.js";
import { parseCall } from "../options/call.js";
import { renderTable } from "../report/table.js";
import { trainConfig } from "../training/index.js";
import { precisionNote } from "./accuracy-table.js";
import { expected } from "./expected.js";
import type { Cell, CellOutcome, EvaluationPlan } from "./experiment.js";
import { type RecipeName, recipeOver } from "./recipe.js";
import { type Spread, seedsText, spreadOf, spreadText } from "./statistics.js";

/** Options of the table; the paper's own where left out. */
export interface Table1Options {
  /** Networks in the table. */
  readonly networks: readonly ("small" | "large")[];
  /** The recipe: the paper's, or this project's short one. */
  readonly preset: RecipeName;
  readonly epochs: number;
  /** Seeds of each network, by kind. */
  readonly seeds: Readonly<Record<Kind, number>>;
  /** Test images under the paper's attacks, and under the ones that the paper lacks; null for all. */
  readonly limit: number | null;
  readonly strongLimit: number | null;
}

type Kind = "full" | "sqa";

/** The table's columns: the paper's, and, set apart, the ones that it lacks. */
export const table1Columns = [
  { key: "clean", title: "clean", attack: undefined, paper: true },
  { key: "fgsm-0.2", title: "FGSM 0.2", attack: "fgsm(epsilon=0.2)", paper: true },
  { key: "fgsm-0.3", title: "FGSM 0.3", attack: "fgsm(epsilon=0.3)", paper: true },
  { key: "cw-0.2", title: "C&W 0.2", attack: "cw-linf(epsilon=0.2, stepSize=0.01, steps=40)", paper: true },
  { key: "cw-0.3", title: "C&W 0.3", attack: "cw-linf(epsilon=0.3, stepSize=0.01, steps=40)", paper: true },
  { key: "pgd-0.2", title: "PGD 0.2", attack: "pgd(epsilon=0.2, stepSize=0.01, steps=40)", paper: true },
  {
    key: "pgd-0.3-restarts",
    title: "PGD 0.3, 10 restarts",
    attack: "pgd(epsilon=0.3, stepSize=0.01, steps=40, restarts=10)",
    paper: false,
  },
  { key: "twin-0.3", title: "from the twin 0.3", attack: "pgd(epsilon=0.3, stepSize=0.01, steps=40)", paper: false },
] as const;

export type Table1Key = (typeof table1Columns)[number]["key"];

/** A row: a network and kind, what the paper says of it and what was measured, in percent. */
export interface Table1Row {
  readonly network: string;
  readonly kind: Kind;
  readonly epochs: number;
  readonly seeds: readonly number[];
  readonly precision: Precision;
  readonly images: number;
  readonly strongImages: number;
  readonly paper: Partial<Record<Table1Key, number>>;
  readonly measured: Partial<Record<Table1Key, Spread>>;
  readonly alarms: readonly string[];
  readonly secondsPerStep: number;
  readonly method: string;
  readonly cleanShare: number;
  readonly schedule: string;
}

const common = { draws: 10, seed: 0 };

function plans(kind: Kind, options: Table1Options): EvaluationPlan[] {
  const attacks = table1Columns.flatMap(({ attack, paper }) => (attack !== undefined && paper ? [attack] : []));
  const attackOf = (key: Table1Key) =>
    table1Columns.flatMap((c) => (c.key === key && c.attack !== undefined ? [c.attack] : []));
  const strong = { ...common, limit: options.strongLimit };
  return [
    { ...common, attacks, limit: options.limit, transferFromTwin: false },
    { ...strong, attacks: attackOf("pgd-0.3-restarts"), transferFromTwin: false },
    // A network without quantizers is its own twin.
    ...(kind === "sqa" ? [{ ...strong, attacks: attackOf("twin-0.3"), transferFromTwin: true }] : []),
  ];
}

/** The table's cells: a recipe's, the schedule stretched to the number of epochs. */
export function table1Cells(options: Table1Options): Cell[] {
  const recipe = recipeOver(options.epochs, options.preset);
  return options.networks.flatMap((network) =>
    (["full", "sqa"] as const).flatMap((kind) =>
      Array.from({ length: options.seeds[kind] }, (_, seed) => ({
        name: `${network}-${kind}-seed${seed}`,
        config: trainConfig({ ...recipe, network, sqa: kind === "sqa" ? {} : null, seed }),
        evaluations: plans(kind, options),
      })),
    ),
  );
}

/** The rows of finished cells; seeds of one network and kind become one row. */
export function table1Rows(outcomes: readonly CellOutcome[]): Table1Row[] {
  const groups = new Map<string, CellOutcome[]>();
  for (const outcome of outcomes) {
    const id = outcome.cell.name.replace(/-seed\d+$/, "");
    groups.set(id, [...(groups.get(id) ?? []), outcome]);
  }
  return [...groups].map(([id, members]) => {
    const { config } = members[0]!.cell;
    const measured = Object.fromEntries(
      table1Columns.flatMap(({ key }) => {
        const values = members.map((member) => measuredShare(member, key));
        return values.includes(undefined) ? [] : [[key, spreadOf(values.map((value) => 100 * value!))]];
      }),
    );
    return {
      network: parseCall(config.network).name,
      kind: config.sqa === null ? "full" : "sqa",
      epochs: config.epochs,
      seeds: members.map((member) => member.cell.config.seed),
      precision: config.precision,
      images: members[0]!.evaluations[0]!.images,
      strongImages: members[0]!.evaluations[1]!.images,
      paper: expected.table1[id as keyof typeof expected.table1],
      measured,
      alarms: [...new Set(members.flatMap((member) => member.training.alarms.map((alarm) => alarm.kind)))],
      secondsPerStep: spreadOf(members.map((member) => member.training.seconds / member.training.steps)).mean,
      method: config.method,
      cleanShare: config.cleanShare,
      schedule: config.schedule,
    };
  });
}

function measuredShare(outcome: CellOutcome, key: Table1Key): number | undefined {
  const [paper, restarts, twin] = outcome.evaluations;
  if (key === "clean") return paper!.clean.accuracy;
  if (key === "pgd-0.3-restarts") return restarts!.attacks[0]!.robustAccuracy;
  if (key === "twin-0.3") return twin?.attacks[0]?.robustAccuracy;
  const index = table1Columns
    .filter(({ paper, attack }) => paper && attack !== undefined)
    .findIndex((c) => c.key === key);
  return paper!.attacks[index]!.robustAccuracy;
}

const kindTitle: Record<Kind, string> = { full: "full precision", sqa: "SQA" };

/** The table as text: for each row the paper's numbers, the measured ones, and the difference, in percent. */
export function renderTable1(rows: readonly Table1Row[], format: "markdown" | "terminal"): string {
  const lines = rows.flatMap((row) => {
    const name = `${row.network.toUpperCase()}, ${kindTitle[row.kind]}`;
    const cells = (text: (key: Table1Key) => string) => table1Columns.map(({ key }) => text(key));
    return [
      [name, "paper", ...cells((key) => row.paper[key]?.toFixed(2) ?? "–")],
      [
        "",
        `measured, ${row.epochs} epochs, ${seedsText(row.seeds.length)}${row.precision === "float32" ? "" : `, ${row.precision}`}`,
        ...cells((key) => spreadText(row.measured[key])),
      ],
      ["", "difference", ...cells((key) => differenceText(row, key))],
    ];
  });
  return renderTable({ columns: ["network", "", ...table1Columns.map(({ title }) => title)], rows: lines }, format);
}

function differenceText(row: Table1Row, key: Table1Key): string {
  const [paper, measured] = [row.paper[key], row.measured[key]];
  if (paper === undefined || measured === undefined) return "–";
  const difference = measured.mean - paper;
  return `${difference >= 0 ? "+" : "−"}${Math.abs(difference).toFixed(2)}`;
}

/** What a reader must know beside the table. */
export function table1Notes(rows: readonly Table1Row[]): string[] {
  const shortened = rows.filter((row) => row.epochs !== 100);
  const unique = (texts: readonly string[]) => [...new Set(texts)];
  const methods = unique(rows.map(({ method, cleanShare }) => `${method}, weight ${cleanShare} on clean images`));
  const schedules = unique(rows.map(({ schedule }) => schedule));
  const images = [...new Set(rows.map((row) => row.images))];
  const strong = [...new Set(rows.map((row) => row.strongImages))];
  return [
    `Trained with ${methods.join("; ")}; learning rate ${schedules.join(" and ")}; ± is the standard deviation over seeds.`,
    "Percent of test images classified correctly. A randomized network answers in fresh draws that no attack saw (mean of 10).",
    `Paper's columns on the first ${images.join(" / ")} test images, the last two, which the paper lacks, on the first ${strong.join(" / ")}.`,
    ...(shortened.length > 0
      ? [
          `Shortened: the paper trains 100 epochs; here ${[...new Set(shortened.map((row) => `${row.network} ${row.epochs}`))].join(", ")}, the schedule shrunk with them.`,
        ]
      : []),
    precisionNote(rows),
    "A dash: a number of the paper that this project does not have, or a column that does not apply.",
  ];
}
