import {
  measureTable4,
  renderSpeed,
  renderTable2,
  renderTable4,
  renderTwin,
  speedCells,
  speedMeans,
  speedNotes,
  speedRows,
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
import { Progress } from "./frame/progress.js";
import {
  accuracyDeviceNotes,
  cellsAsAsked,
  hardware,
  type PaperOptions,
  type PaperWork,
  resultName,
  runPaperCells,
  sizesOf,
  timingDeviceNotes,
  wholeRows,
} from "./paper-options.js";
import { showTable } from "./paper-table.js";
import { precisionOf } from "./run-options.js";

/** Table 2: residual networks on CIFAR-10. */
export const table2: PaperWork = async (given, context) => {
  const setting = table2Setting(given.device);
  const options = {
    ...setting,
    networks: given.network === undefined ? setting.networks : [given.network],
    trainImages: given.trainImages ?? setting.trainImages,
    epochs: given.epochs ?? setting.epochs,
    seeds: given.seeds ?? setting.seeds,
    limit: given.limit ?? setting.limit,
    strongLimit: given.strongLimit ?? setting.strongLimit,
  };
  const cells = cellsAsAsked(table2Cells(options), given);
  const outcomes = await followExperiment(runPaperCells(cells, given, context));
  const rows = table2Rows(wholeRows(outcomes, cells), options);
  if (rows.length === 0) return 0;
  showTable(given.results, resultName("table2", given.network), {
    title: "Table 2: CIFAR-10 under white-box attacks",
    record: { options, rows, measuredOn: hardware(given.device) },
    text: (format) => renderTable2(rows, format),
    notes: [...table2Notes(rows, options), ...accuracyDeviceNotes(given.device)],
  });
  return 0;
};

/** Table 4: seconds an iteration. */
export const table4: PaperWork = async (given, { signal }) => {
  const { network, ...usual } = table4Setting(given.device, precisionOf(given.precision, given.device));
  const setting = { ...usual, network: given.network ?? network };
  using progress = new Progress({ label: `timing ${setting.network}` });
  for await (const event of measureTable4(setting, signal)) {
    if (event.type === "progress") {
      progress.update({ done: event.done, total: event.total });
      continue;
    }
    progress.finish();
    const { table } = event;
    showTable(given.results, resultName("table4", given.network), {
      title: "Table 4: seconds an iteration",
      record: { ...table, measuredOn: hardware(given.device) },
      text: (format) => renderTable4(table, format),
      notes: [...table4Notes(table), ...timingDeviceNotes(given.device, table.replayed)],
    });
  }
  return 0;
};

/** Training on FGSM images without a random start, as the options of `sqa paper` say. */
export function twinOptions(given: PaperOptions): TwinOptions {
  return { network: given.only ?? "small", ...sizesOf(given) };
}

/** SQA in training only. */
export const twin: PaperWork = async (given, context) => {
  const options = twinOptions(given);
  const cells = cellsAsAsked(twinCells(options), given);
  const outcomes = await followExperiment(runPaperCells(cells, given, context));
  const rows = twinRows(wholeRows(outcomes, cells));
  if (rows.length === 0) return 0;
  showTable(given.results, resultName("twin", given.only), {
    title: "SQA in training only: the twin of a network trained with SQA",
    record: { options, rows, measuredOn: hardware(given.device) },
    text: (format) => renderTwin(rows, format),
    notes: [...twinNotes(rows, options), ...accuracyDeviceNotes(given.device)],
  });
  return 0;
};

/** Seconds of training to a robust network. */
export const speed: PaperWork = async (given, context) => {
  const { preset = "fast", network, method, epochs, seeds = 3, limit = null, strongLimit = null } = given;
  const options = { preset, network, method, epochs, seeds, limit, strongLimit };
  const cells = cellsAsAsked(speedCells(options), given);
  const outcomes = await followExperiment(runPaperCells(cells, { ...given, jobs: 1 }, context));
  if (outcomes.length === 0) return 0;
  const rows = speedRows(outcomes);
  showTable(given.results, resultName("speed", preset, network, method), {
    title: `Seconds of training to a robust network: recipe ${preset}`,
    record: { options, rows, means: speedMeans(rows), measuredOn: hardware(given.device) },
    text: (format) => renderSpeed(rows, format),
    notes: [
      ...speedNotes(cells, options),
      ...timingDeviceNotes(
        given.device,
        rows.every(({ replayed }) => replayed),
      ),
      ...accuracyDeviceNotes(given.device),
    ],
  });
  return 0;
};
