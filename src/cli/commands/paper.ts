import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FileFormatError, makeFolder, unknownName } from "../../base/index.js";
import { setThreads } from "../../engine/index.js";
import { precisions } from "../../nn/index.js";
import {
  renderTable1,
  type Table1Options,
  type Table1Row,
  table1Cells,
  table1Notes,
  table1Rows,
} from "../../paper/index.js";
import { followExperiment } from "../experiment-progress.js";
import { type CommandContext, defineCommand } from "../frame/command.js";
import { UsageError } from "../frame/usage-error.js";
import { figure1, figure2, figure3, overfitting } from "../paper-figures.js";
import {
  accuracyDeviceNotes,
  cellsAsAsked,
  checkTakes,
  hardware,
  type PaperOptions,
  type PaperTarget,
  paperOptions,
  recipeChoice,
  resultName,
  runPaperCells,
  sizesOf,
  wholeRows,
} from "../paper-options.js";
import { showTable } from "../paper-table.js";
import { speed, table2, table4, twin } from "../paper-tables.js";

/** The tables and figures by name. */
const targets: Record<string, PaperTarget> = {
  table1: {
    takes: ["only", "preset", "epochs", "seeds", "fullSeeds", "limit", "strongLimit", "jobs"],
    work: table1,
  },
  table2: { takes: ["network", "epochs", "seeds", "trainImages", "limit", "strongLimit", "jobs"], work: table2 },
  table4: { takes: ["network"], work: table4 },
  figure1: { takes: ["epochs", "limit", "jobs"], work: figure1 },
  figure2: { takes: ["only", "preset", "epochs", "limit", "jobs"], work: figure2 },
  figure3: { takes: ["only", "preset", "epochs", "limit", "jobs"], work: figure3 },
  overfitting: { takes: ["only", "preset", "epochs", "seeds", "fullSeeds", "jobs"], work: overfitting },
  twin: {
    takes: ["only", "preset", "epochs", "seeds", "fullSeeds", "limit", "strongLimit", "jobs"],
    work: twin,
  },
  // Its runs are timed, so one is done at a time.
  speed: { takes: ["network", "method", "preset", "epochs", "seeds", "limit", "strongLimit"], work: speed },
};

export const paperCommand = defineCommand({
  name: "paper",
  summary: "make a table or figure of the paper",
  description:
    "table1: accuracy of SMALL and LARGE, full precision and SQA, under white-box attacks. table2: of ResNet-34 and -101 on " +
    "CIFAR-10. table4: seconds an iteration, beside the cost model. twin: networks trained with SQA, evaluated without. figure1: FGSM accuracy with one " +
    "layer quantized. figure2 and figure3: the penultimate layer on clean and attacked images, by t-SNE and by class, in networks of twin. overfitting: accuracy under FGSM and PGD against epochs, in the runs of twin. speed: seconds of training by a preset, and what PGD and AutoAttack leave. What is already in the run folders is not " +
    "done again, and a stopped table goes on where it was.",
  operands: [{ name: "target", description: Object.keys(targets).join(", ") }],
  options: paperOptions,
  examples: [
    "sqa paper table1",
    "sqa paper table1 --only small --epochs 20 --seeds 3 --full-seeds 1",
    "sqa paper table1 --only small --preset short",
    "sqa paper figure1",
    "sqa paper figure2 --preset short",
    "sqa paper twin --preset short",
    "sqa paper table2 --network 'resnet18(width=16)' --epochs 15 --seeds 3 --precision bfloat16",
    "sqa paper table4 --device cuda",
    "sqa paper speed --preset modern --network resnet18 --epochs 15 --device cuda --precision bfloat16",
  ],
  async run(given, context) {
    const name = context.operands[0]!;
    const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
    if (target === undefined) throw new UsageError(unknownName("table or figure", name, Object.keys(targets)).message);
    checkTakes(name, target, given);
    // Of what is timed or evaluated in this process; `runPaperCells` sets those of cells.
    if (given.threads !== undefined) setThreads(given.threads);
    // A folder that cannot be made is said before hours of training, not after.
    try {
      makeFolder(given.results);
    } catch (error) {
      throw new UsageError(`--results ${given.results}: ${(error as Error).message}`, { cause: error });
    }
    return target.work(given, context);
  },
});

function table1Options(given: PaperOptions): Table1Options {
  return { networks: given.only === undefined ? ["small", "large"] : [given.only], ...sizesOf(given) };
}

async function table1(given: PaperOptions, context: CommandContext): Promise<number> {
  const cells = cellsAsAsked(table1Cells(table1Options(given)), given);
  const outcomes = await followExperiment(runPaperCells(cells, given, context));
  const whole = wholeRows(outcomes, cells);
  if (whole.length === 0) return 0;
  const name = resultName("table1", recipeChoice(given));
  const rows = mergedRows(join(given.results, `${name}.json`), table1Rows(whole));
  showTable(given.results, name, {
    title: "Table 1: MNIST under white-box attacks",
    record: { rows, measuredOn: hardware(given.device) },
    text: (format) => renderTable1(rows, format),
    notes: [...table1Notes(rows), ...accuracyDeviceNotes(given.device)],
  });
  return 0;
}

/** The rows of an earlier table. */
function readRows(path: string): Table1Row[] {
  try {
    const { rows } = JSON.parse(readFileSync(path, "utf8")) as { rows: Table1Row[] };
    if (!Array.isArray(rows)) throw new TypeError("it holds no rows");
    return rows;
  } catch (cause) {
    const problem = (cause as Error).message;
    throw new FileFormatError(`${path}: ${problem}; delete the file to write it anew`, { cause });
  }
}

/** The rows now measured, and those of an earlier table that were not measured again. */
function mergedRows(path: string, rows: readonly Table1Row[]): Table1Row[] {
  const before = existsSync(path) ? readRows(path) : [];
  const id = (row: Table1Row) => `${row.network}-${row.kind}-${row.precision}`;
  const order = ["small-full", "small-sqa", "large-full", "large-sqa"].flatMap((name) =>
    precisions.map((precision) => `${name}-${precision}`),
  );
  const kept = before.filter((row) => !rows.some((now) => id(now) === id(row)));
  return [...rows, ...kept].sort((a, b) => order.indexOf(id(a)) - order.indexOf(id(b)));
}
