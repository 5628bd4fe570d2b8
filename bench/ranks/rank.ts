// One contender of ranks.ts: trains, as a rank or by itself, and tells the time of its steps on one line.
// rank.ts RUNS THREADS STEPS MODEL
import { mnist } from "../../src/datasets/index.js";
import { joinRanks } from "../../src/engine/index.js";
import { models } from "../../src/models/index.js";
import { train } from "../../src/training/index.js";

/** Steps that fill caches and memory before those that are timed. */
const warmUp = 10;

const [runs, threads, steps, model] = process.argv.slice(2);
const ranks = joinRanks();
const config = {
  model: models.parse(model!),
  data: mnist(),
  defenses: ["sqa" as const],
  method: "fgsm(epsilon=0.3)" as const,
  batchSize: 128,
  limit: 128 * Number(steps),
  epochs: 1,
  validationImages: 1,
  validationAttacks: [],
};
const options = { runs: runs!, threads: Number(threads), tensorboard: false, checkpointSeconds: 1e6, ranks };
const times: number[] = [];
let before = process.cpuUsage();
for await (const event of train(config, options)) {
  if (event.type !== "step") continue;
  if (event.step === warmUp) before = process.cpuUsage();
  if (event.step >= warmUp) times.push(performance.now());
  if (event.step !== Number(steps)) continue;
  const { user, system } = process.cpuUsage(before);
  const differences = times.slice(1).map((time, i) => time - times[i]!);
  const median = differences.sort((a, b) => a - b)[Math.floor(differences.length / 2)]!;
  const [processor] = ranks.sum([(user + system) / 1000 / differences.length]);
  if (ranks.isFirst) process.stdout.write(`${JSON.stringify({ step: median, processor })}\n`);
}
