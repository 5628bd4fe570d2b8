import { countText } from "../../base/index.js";
import { answerDraws } from "../runner/kept-evaluation.js";
import { methodInFull, scheduleInFull } from "../spelled-out.js";
import { type Column, isAccuracy } from "./column.js";
import type { MeasuredRow } from "./data.js";

type Rows = readonly MeasuredRow[];

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** Remark on steps of training on a device that no graph replayed. */
export const noGraphNote = "Steps were made operator by operator: no graph was captured.";

/** Training of a row in words. */
function trainingText({ config }: MeasuredRow): string {
  const { method, cleanWeight, epochs, batchSize, limit, schedule, augmentation } = config;
  const { optimizer, labelSmoothing, averaging, selection } = config;
  return [
    methodInFull(method),
    ...(cleanWeight > 0 ? [`weight ${cleanWeight} on clean images`] : []),
    `${countText(epochs, "epoch")} in batches of ${batchSize}`,
    ...(limit === null ? [] : [`on the first ${limit} training images`]),
    ...(augmentation === "none" ? [] : [augmentation]),
    ...(optimizer === "sgd" ? [] : [optimizer]),
    `learning rate ${scheduleInFull(schedule)}`,
    ...(labelSmoothing > 0 ? [`label smoothing ${labelSmoothing}`] : []),
    ...(averaging > 0 ? [`averaged weights ${averaging}`] : []),
    ...(selection === "last" ? [] : [`${selection} epoch`]),
  ].join(", ");
}

/**
 * Sentences on rows that a text describes, one for each text. `subject` is told which rows these are: "" for
 * all, else " of SMALL, SQA".
 */
function sentences(
  rows: Rows,
  subject: (ofRows: string) => string,
  describe: (row: MeasuredRow) => string,
): string[] {
  const texts = unique(rows.map(describe));
  return texts.map((text) => {
    const titles = rows.filter((row) => describe(row) === text).map(({ title }) => title);
    return `${subject(texts.length === 1 ? "" : ` of ${titles.join("; ")}`)}: ${text}.`;
  });
}

/** Numbers of test images behind the columns of a row, in words. */
function imagesText({ measured }: MeasuredRow, columns: readonly Column[]): string {
  const counted = columns.flatMap(({ key, title }) => {
    const images = measured[key]?.images;
    return images === undefined ? [] : [{ images, title }];
  });
  const counts = unique(counted.map(({ images }) => images));
  if (counts.length < 2) return counts.join();
  return counts
    .map((count) => {
      const titles = counted.filter(({ images }) => images === count).map(({ title }) => title);
      return `${count} (${titles.join("; ")})`;
    })
    .join(", ");
}

/** Test images, by the rows where these differ: not for columns that a row is not asked for. */
function imagesNotes(rows: Rows, columns: readonly Column[]): string[] {
  const asked = (row: MeasuredRow) => columns.filter(({ key }) => row.measured[key]?.images !== undefined);
  const counted = rows.filter((row) => asked(row).length > 0);
  // A row that is asked for fewer columns says no more than one that is asked for all.
  const fullest = (row: MeasuredRow) =>
    counted.find(
      (other) =>
        asked(other).length > asked(row).length &&
        asked(row).every(({ key }) => other.measured[key]?.images === row.measured[key]?.images),
    ) ?? row;
  const subject = (ofRows: string) => `Test images${ofRows}, the first ones`;
  return sentences(counted, subject, (row) => imagesText(fullest(row), columns));
}

function alarmNotes(rows: Rows): string[] {
  const alarmed = rows.filter(({ alarms, noiseFree }) => alarms.length > 0 && noiseFree !== true);
  return alarmed.map(({ title, alarms }) => `${title}: training raised ${alarms.join(" and ")}.`);
}

/** Remarks on an earlier version of the project, and on a device other than the CPU. */
function machineNotes(rows: Rows, columns: readonly Column[]): string[] {
  const commits = unique(rows.flatMap(({ measuredOn }) => measuredOn.commit ?? []));
  const earlier =
    commits.length === 0 ? [] : [`Measured by an earlier version, commit ${commits.join(" and ")}.`];
  return [...earlier, ...deviceNotes(rows, columns)];
}

function deviceNotes(rows: Rows, columns: readonly Column[]): string[] {
  const elsewhere = rows.filter(({ measuredOn }) => measuredOn.device !== "cpu");
  if (elsewhere.length === 0) return [];
  const names = unique(elsewhere.map(({ measuredOn: { model, device } }) => model ?? device)).join(", ");
  const steps = elsewhere.every(({ replayed }) => replayed === true)
    ? "Steps were replayed as graphs."
    : noGraphNote;
  return [
    `Measured on ${names}, where convolutions in float32 are computed in TF32.`,
    ...(columns.every(isAccuracy) ? [] : [steps]),
  ];
}

/** Sentences that a reader of accuracies must know. */
export function accuracyNotes(rows: Rows, columns: readonly Column[]): string[] {
  if (rows.length === 0) return [];
  const precisions = unique(rows.map(({ config }) => config.precision));
  const isRandomized = rows.some(({ randomized }) => randomized === true);
  const hasGaps = rows.some(
    ({ paper, measured }) =>
      columns.some(({ key }) => measured[key] === undefined) ||
      (paper !== undefined && columns.some(({ key }) => paper[key] === undefined)),
  );
  const hasDeviations = rows.some(({ seeds, paper }) => seeds.length > 1 || paper !== undefined);
  return [
    ...sentences(rows, (ofRows) => `Training${ofRows}`, trainingText),
    `Accuracies in percent.${hasDeviations ? " ± is the standard deviation over seeds." : ""}`,
    ...(isRandomized
      ? [`A randomized model answers in ${answerDraws} fresh draws, which no attack saw; the mean counts.`]
      : []),
    ...imagesNotes(rows, columns),
    `Trained in ${precisions.join(" and ")}; accuracies are measured in float32.`,
    ...alarmNotes(rows),
    ...machineNotes(rows, columns),
    ...(hasGaps ? ["A dash: the paper has no number, or the column does not apply."] : []),
  ];
}
