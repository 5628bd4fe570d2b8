// Time of a training step on two ranks of one thread each, beside one process with one thread and with two:
// npx tsx bench/ranks/ranks.ts [ROUNDS [STEPS]]
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [rounds = 5, steps = 60] = process.argv.slice(2).map(Number);
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

function timed(model: string, { ranks, threads }: { ranks: number; threads: number }): Times {
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

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

for (const model of ["small", "large"]) {
  const found = contenders.map(() => [] as Times[]);
  // In turns, so that what else the machine does falls on all alike.
  for (let round = 0; round < rounds; round++)
    for (const [i, contender] of contenders.entries()) found[i]!.push(timed(model, contender));
  const [single, threads, ranks] = found;
  const ratio = (above: readonly Times[], below: readonly Times[]) =>
    median(above.map(({ step }, i) => step / below[i]!.step));
  console.log(`${model}, SQA + FGSM, batch 128: ${rounds} rounds in turns, ${steps} steps each`);
  for (const [i, { name }] of contenders.entries()) {
    const step = median(found[i]!.map((times) => times.step));
    const processor = median(found[i]!.map((times) => times.processor));
    console.log(`  ${name}: ${step.toFixed(2)} ms a step, ${processor.toFixed(2)} ms of processors`);
  }
  console.log(`  2 ranks are ${ratio(threads!, ranks!).toFixed(2)} times as fast as 2 threads`);
  console.log(`  efficiency from 1 to 2 ranks: ${(ratio(single!, ranks!) / 2).toFixed(2)}`);
}
