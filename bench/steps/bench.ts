// Times training steps, ours and PyTorch's, in one interleaved run: `npm run bench -- --help`.
import { spawnSync } from "node:child_process";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { subset } from "../../src/datasets/index.js";
import { type Precision, precisions } from "../../src/nn/index.js";
import { PeerFiles } from "../shared/files.js";
import { machineNow } from "../shared/machine.js";
import { networks as table } from "../shared/networks.js";
import { publish, runProgram, tell } from "../shared/program.js";
import { peersProblem } from "../shared/python.js";
import { agreement } from "./agreement.js";
import { trainingImages } from "./images.js";
import { measure } from "./measure.js";
import { type BenchOptions, benchOptions, usage } from "./options.js";
import { type BenchResult, benchMarkdown } from "./report.js";
import { summarize } from "./summary.js";

async function bench(options: BenchOptions): Promise<BenchResult> {
  const { networks: names, rounds, batch, threads, python } = options;
  const loadAtStart = loadavg()[0]!;
  const problem = peersProblem(python);
  if (problem !== undefined) tell(`PyTorch: ${problem}`);
  const peaks: Partial<Record<Precision, number>> = {};
  const engines: Record<string, string> = problem === undefined ? {} : { PyTorch: problem };
  const measured = [];
  using files = new PeerFiles();
  for (const network of names) {
    const weights = files.weights(network);
    const { split, source } = trainingImages(table[network].dataset, options.images, options.data);
    const check = { images: files.images(subset(split, batch)), weights };
    const agreed = problem === undefined ? { lossDifference: await agreement(network, options, check) } : {};
    const all = { images: files.images(split), weights };
    const found = await measure(network, options, all, problem === undefined, tell);
    for (const precision of precisions) {
      peaks[precision] = Math.max(peaks[precision] ?? 0, found.matrices.peaks[precision] ?? 0);
    }
    Object.assign(engines, found.engines);
    measured.push({ network, found, images: source, agreed });
  }
  // The peaks of the whole run, so that all networks are held against the same.
  const networks = measured.map(({ network, found, images, agreed }) => ({
    ...summarize(network, batch, { contenders: found.contenders, matrices: { peaks } }),
    images,
    ...agreed,
  }));
  return { machine: machineNow(threads, loadAtStart), engines, rounds, batch, peaks, networks };
}

/** Tells whether the words ask for the passes of exported models, which have options of their own. */
function areExported(words: readonly string[]): boolean {
  return words.some(
    (word, i) => word === "--only=exported" || (word === "--only" && words[i + 1] === "exported"),
  );
}

/** Runs the program that times exported models, to its end. */
function ofExportedModels(words: readonly string[]): void {
  const program = fileURLToPath(new URL("../exported/exported.ts", import.meta.url));
  const { status } = spawnSync(process.execPath, [...process.execArgv, program, ...words], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}

async function main(): Promise<void> {
  if (areExported(process.argv.slice(2))) return ofExportedModels(process.argv.slice(2));
  const options = benchOptions(process.argv.slice(2), process.env);
  if (options === undefined) {
    process.stdout.write(`${usage}\n`);
    return;
  }
  const result = await bench(options);
  const name = options.networks.length === 1 ? `bench-${options.networks[0]}` : "bench";
  publish(name, result, benchMarkdown(result), options);
}

await runProgram(main);
