import {
  measureTable4,
  renderTable2,
  renderTable4,
  renderTwin,
  type TwinOptions,
  table2Cells,
  table2Notes,
  table2Rows,
  table2Setting,
  table4Notes,
  table4Setting,
  twinCells,
  twinNotes,
  twinRows,
} from "../paper/index.js";
import { followExperiment } from "./experiment-progress.js";
import {
  cellsAsAsked,
  hardware,
  onlyOf,
  type PaperOptions,
  type PaperTarget,
  runPaperCells,
  sizesOf,
  wholeRows,
} from "./paper-options.js";
import { showTable } from "./paper-table.js";
import { Progress } from "./progress.js";
import { precisionOf } from "./run-options.js";

/** Table 2: residual networks on CIFAR-10. */
export const table2: PaperTarget = async (given, context) => {
  const { networks, ...setting } = table2Setting(given.device);
  const only = onlyOf(given, ["resnet34", "resnet101"]);
  const options = {
    ...setting,
    networks: only === undefined ? networks : [only],
    epochs: given.epochs ?? setting.epochs,
    seeds: given.seeds ?? setting.seeds,
    limit: given.limit ?? setting.limit,
    strongLimit: given.strongLimit ?? setting.strongLimit,
  };
  const cells = cellsAsAsked(table2Cells(options), given);
  const outcomes = await followExperiment(runPaperCells(cells, given, context));
  const rows = table2Rows(wholeRows(outcomes, cells), options);
  if (rows.length === 0) return 0;
  showTable(given.results, "table2", {
    title: "Table 2: CIFAR-10 under white-box attacks",
    record: { options, rows, measuredOn: hardware(given.device) },
    text: (format) => renderTable2(rows, format),
    notes: table2Notes(rows, options),
  });
  return 0;
};

/** Table 4: seconds an iteration. */
export const table4: PaperTarget = async (given, { signal }) => {
  const setting = table4Setting(given.device, precisionOf(given.precision, given.device));
  using progress = new Progress({ label: `timing ${setting.network}` });
  for await (const event of measureTable4(setting, signal)) {
    if (event.type === "progress") {
      progress.update({ done: event.done, total: event.total });
      continue;
    }
    progress.finish();
    const { table } = event;
    showTable(given.results, "table4", {
      title: "Table 4: seconds an iteration",
      record: { ...table, measuredOn: hardware(given.device) },
      text: (format) => renderTable4(table, format),
      notes: table4Notes(table),
    });
  }
  return 0;
};

/** Training on FGSM images without a random start, as the options of `sqa paper` say. */
export function twinOptions(given: PaperOptions): TwinOptions {
  return { network: onlyOf(given, ["small", "large"]) ?? "small", ...sizesOf(given) };
}

/** SQA in training only. */
export const twin: PaperTarget = async (given, context) => {
  const options = twinOptions(given);
  const cells = cellsAsAsked(twinCells(options), given);
  const outcomes = await followExperiment(runPaperCells(cells, given, context));
  const rows = twinRows(wholeRows(outcomes, cells));
  if (rows.length === 0) return 0;
  showTable(given.results, "twin", {
    title: "SQA in training only: the twin of a network trained with SQA",
    record: { options, rows, measuredOn: hardware(given.device) },
    text: (format) => renderTwin(rows, format),
    notes: twinNotes(rows, options),
  });
  return 0;
};
