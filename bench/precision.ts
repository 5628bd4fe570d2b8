// Whether training in bfloat16 costs accuracy: SMALL by the short recipe, in float32 and in bfloat16, with the same seeds;
// evaluated in float32. `npm run bench:precision -- --help`.
import { writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { setThreads } from "../src/engine/index.js";
import { type Precision, precisions } from "../src/nn/index.js";
import {
  type CellOutcome,
  inPrecision,
  runCellsAtOnce,
  spreadText,
  type Table1Options,
  table1Cells,
  table1Columns,
  table1Rows,
} from "../src/paper/index.js";
import { renderTable } from "../src/report/table.js";
import { machineNow } from "./machine.js";
import { count } from "./options.js";

const usage = `npm run bench:precision -- [options]
  --seeds N     seeds of each network and precision, from 0 (5)
  --epochs N    epochs of the short recipe (4)
  --limit N     test images (2000)
  --strong N    of them under PGD with restarts and the twin's images (500)
  --jobs N      runs at a time (all processors)
  --runs FOLDER where run folders lie (runs); what is there is not done again
  --write       write results/precision.json and .md`;

const root = fileURLToPath(new URL("..", import.meta.url));

/** The cells of Table 1 for SMALL, in a precision. */
function cellsIn(precision: Precision, sizes: Pick<Table1Options, "epochs" | "seeds" | "limit" | "strongLimit">) {
  const cells = inPrecision(table1Cells({ networks: ["small"], preset: "short", ...sizes }), precision);
  return cells.map((cell) => ({ ...cell, name: `${precision}-${cell.name}` }));
}

/** Rows of Table 1, those of both precisions beside each other, and what bfloat16 changes. */
function table(outcomes: readonly CellOutcome[]) {
  const [exact, rounded] = precisions.map((precision) =>
    table1Rows(outcomes.filter(({ cell }) => cell.config.precision === precision)),
  ) as [ReturnType<typeof table1Rows>, ReturnType<typeof table1Rows>];
  const rows = exact.flatMap((row, i) => {
    const pair = { float32: row.measured, bfloat16: rounded[i]!.measured };
    const cells = (text: (key: (typeof table1Columns)[number]["key"]) => string) =>
      table1Columns.map(({ key }) => (row.measured[key] === undefined ? "–" : text(key)));
    const kind = row.kind === "sqa" ? "SQA" : "full precision";
    return [
      ...precisions.map((precision) => [kind, precision, ...cells((key) => spreadText(pair[precision][key]))]),
      [kind, "difference", ...cells((key) => (pair.bfloat16[key]!.mean - pair.float32[key]!.mean).toFixed(2))],
    ];
  });
  return { rows, columns: ["SMALL", "", ...table1Columns.map(({ title }) => title)], exact, rounded };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "5" },
      epochs: { type: "string", default: "4" },
      limit: { type: "string", default: "2000" },
      strong: { type: "string", default: "500" },
      jobs: { type: "string", default: String(availableParallelism()) },
      runs: { type: "string", default: "runs" },
      write: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return;
  }
  const [seeds, epochs] = [count("seeds", values.seeds, 1000), count("epochs", values.epochs, 1000)];
  const [limit, strongLimit] = [count("limit", values.limit, 10_000), count("strong", values.strong, 10_000)];
  const loadAtStart = loadavg()[0]!;
  const sizes = { epochs, seeds: { full: seeds, sqa: seeds }, limit, strongLimit };
  const cells = precisions.flatMap((precision) => cellsIn(precision, sizes));
  const outcomes: CellOutcome[] = [];
  setThreads(1);
  const options = { runs: values.runs, jobs: count("jobs", values.jobs, 256), threads: 1 };
  for await (const event of runCellsAtOnce(cells, options)) {
    if (event.type === "outcome") outcomes.push(event.outcome);
    else if (event.type === "train" && event.event.type === "epoch") {
      process.stderr.write(`${event.cell}: epoch ${event.event.epoch}, clean ${event.event.clean}\n`);
    }
  }
  const { rows, columns, exact, rounded } = table(outcomes);
  const machine = machineNow(1, loadAtStart);
  const text = `# Training in bfloat16 and in float32

SMALL on MNIST by the short recipe (FGSM from a random start, ${epochs} epochs), ${seeds} seeds, evaluated in float32 on the first ${limit} test
images, the last two columns on ${strongLimit}; means ± standard deviations in percent. ${machine.cpu}, arithmetic in bfloat16: ${machine.bfloat16}.
\`npm run bench:precision -- --write\` measures again.

${renderTable({ columns, rows }, "markdown")}
`;
  process.stdout.write(text);
  if (!values.write) return;
  writeFileSync(join(root, "results/precision.md"), text);
  writeFileSync(
    join(root, "results/precision.json"),
    `${JSON.stringify({ machine, float32: exact, bfloat16: rounded }, null, 2)}\n`,
  );
}

try {
  await main();
} catch (error) {
  process.stderr.write(`error: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
