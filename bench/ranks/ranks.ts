// Time of a training step on two ranks of one thread each, beside one process with one thread and with two:
// npx tsx bench/ranks/ranks.ts [--rounds N] [--steps N]
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { count } from "../shared/count.js";
import { runProgram } from "../shared/program.js";
import { ratioOf, spreadOf } from "../shared/statistics.js";

const program = fileURLToPath(new URL("rank.ts", import.meta.url));
const root = { OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" };
const contenders = [
  { name: "1 process, 1 thread", ranks: 1, threads: 1 },
  { name: "1 process, 2 threads", ranks: 1, threads: 2 },
  { name: "2 ranks, 1 thread each", ranks: 2, threads: 1 },
] as const;

/** Milliseconds of a step by the clock, and of all processors together. */
interface Times {
  readonly step: number;
  readonly processor: number;
}

function timed(model: string, steps: number, { ranks, threads }: { ranks: number; threads: number }): Times {
  const runs = mkdtempSync(join(tmpdir(), "sqa-ranks-"));
  try {
    const words = ["--import", "tsx", program, runs, String(threads), String(steps), model];
    const launcher = ranks === 1 ? [] : ["mpirun", "-n", String(ranks)];
    const [first, ...rest] = [...launcher, process.execPath, ...words];
    const { stdout, stderr, status } = spawnSync(first!, rest, {
      env: { ...process.env, ...root },
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${model} on ${ranks} ranks ended with ${status}: ${stderr}`);
    return JSON.parse(stdout.trim().split("\n").at(-1)!) as Times;
  } finally {
    rmSync(runs, { recursive: true });
  }
}

/** Medians of each contender, timed in turns, so that what else the machine does falls on all alike. */
function compare(model: string, rounds: number, steps: number): string[] {
  const found = contenders.map(() => [] as Times[]);
  for (let round = 0; round < rounds; round++)
    for (const [i, contender] of contenders.entries()) found[i]!.push(timed(model, steps, contender));
  const [single, threads, ranks] = found.map((times) => times.map(({ step }) => step));
  return [
    `${model}, SQA + FGSM, batch 128: ${rounds} rounds in turns, ${steps} steps each`,
    ...contenders.map(({ name }, i) => {
      const step = spreadOf(found[i]!.map((times) => times.step)).median;
      const processor = spreadOf(found[i]!.map((times) => times.processor)).median;
      return `  ${name}: ${step.toFixed(2)} ms a step, ${processor.toFixed(2)} ms of processors`;
    }),
    `  2 ranks are ${ratioOf(threads!, ranks!).median.toFixed(2)} times as fast as 2 threads`,
    `  efficiency from 1 to 2 ranks: ${(ratioOf(single!, ranks!).median / 2).toFixed(2)}`,
  ];
}

await runProgram(() => {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { rounds: text, steps: text } });
  const rounds = count("rounds", values.rounds ?? "5", 10_000);
  const steps = count("steps", values.steps ?? "60", 10_000);
  for (const model of ["small", "large"])
    process.stdout.write(`${compare(model, rounds, steps).join("\n")}\n`);
});
