// Cost of training in bfloat16: SMALL by the short recipe, in float32 and in bfloat16, with the same seeds;
// evaluated in float32. `npm run bench:precision -- --help`.
import { writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Precision } from "../../src/nn/index.js";
import {
  type AccuracyData,
  type MeasuredRow,
  runTable,
  spreadText,
  table1,
  table1Columns,
} from "../../src/paper/index.js";
import { renderTable } from "../../src/report/table.js";
import { count } from "../shared/count.js";
import { machineNow } from "../shared/machine.js";
import { runProgram } from "../shared/program.js";

const usage = `npm run bench:precision -- [options]
  --seeds N     seeds of each network and precision, from 0 (5)
  --epochs N    epochs of the short recipe (4)
  --limit N     test images (2000)
  --attack-limit N  those under strong attacks (500)
  --jobs N      runs at a time (all processors)
  --runs FOLDER where run folders lie (runs); what is there is not done again
  --write       write results/precision.json and .md`;

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Sizes of the tables. */
interface Sizes {
  readonly seeds: number;
  readonly epochs: number;
  readonly limit: number;
  readonly attackLimit: number;
}

/** Rows of Table 1 for SMALL, in a precision. */
async function rowsIn(precision: Precision, sizes: Sizes, work: { runs: string; jobs: number }) {
  const running = runTable(
    table1,
    { ...sizes, model: ["small"], preset: "mnist-short", precision },
    { ...work, threads: 1 },
  );
  for await (const event of running) {
    if (event.type !== "train" || event.event.type !== "epoch") continue;
    process.stderr.write(
      `${precision}, ${event.cell}: epoch ${event.event.epoch}, clean ${event.event.clean}\n`,
    );
  }
  return ((await running).data as AccuracyData).rows;
}

/** Rows of both precisions beside each other, and the difference that bfloat16 makes. */
function table(exact: readonly MeasuredRow[], rounded: readonly MeasuredRow[]) {
  const rows = exact.flatMap(({ key, title, measured }) => {
    const other = rounded.find((row) => row.key === `${key}-bfloat16`)!.measured;
    const cells = (text: (column: string) => string) =>
      table1Columns.map((column) => (measured[column.key] === undefined ? "–" : text(column.key)));
    return [
      [title, "float32", ...cells((column) => spreadText(measured[column]))],
      ["", "bfloat16", ...cells((column) => spreadText(other[column]))],
      ["", "difference", ...cells((column) => (other[column]!.mean - measured[column]!.mean).toFixed(2))],
    ];
  });
  return renderTable(
    { columns: ["model", "", ...table1Columns.map(({ title }) => title)], rows },
    "markdown",
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "5" },
      epochs: { type: "string", default: "4" },
      limit: { type: "string", default: "2000" },
      "attack-limit": { type: "string", default: "500" },
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
  const limit = count("limit", values.limit, 10_000);
  const attackLimit = count("attack-limit", values["attack-limit"], limit);
  const loadAtStart = loadavg()[0]!;
  const sizes = { epochs, seeds, limit, attackLimit };
  const work = { runs: values.runs, jobs: count("jobs", values.jobs, 256) };
  const [float32, bfloat16] = [await rowsIn("float32", sizes, work), await rowsIn("bfloat16", sizes, work)];
  const machine = machineNow(1, loadAtStart);
  const text = `# Training in bfloat16 and in float32

SMALL on MNIST by the short recipe (FGSM from a random start, ${epochs} epochs), ${seeds} seeds, evaluated in float32 on the first ${limit} test
images, the last two columns on ${attackLimit}; means ± standard deviations in percent. ${machine.cpu}, arithmetic in bfloat16: ${machine.bfloat16}.
\`npm run bench:precision -- --write\` measures again.

${table(float32, bfloat16)}
`;
  process.stdout.write(text);
  if (!values.write) return;
  writeFileSync(join(root, "results/precision.md"), text);
  writeFileSync(
    join(root, "results/precision.json"),
    `${JSON.stringify({ machine, float32, bfloat16 }, null, 2)}\n`,
  );
}

await runProgram(main);
