// Our side of the comparison with AutoAttack: a process that attacks batches as peers/autoattack.py does.
import { createInterface } from "node:readline";
import { autoattack, type SuitePart } from "../src/attacks/index.js";
import { datasetByName, type Split } from "../src/datasets/index.js";
import { setThreads, versions } from "../src/engine/index.js";
import { evaluate, networkFromWeights } from "../src/evaluation/index.js";
import type { Attacked, AttackedPart } from "./child.js";

/** What the parent asks for. */
interface Task {
  readonly threads: number;
  readonly network: string;
  readonly weights: string;
  readonly batch: number;
  readonly count: number;
  readonly seed: number;
  readonly epsilon: number;
  readonly steps: number;
  readonly queries: number;
  readonly targets: number;
}

const task = JSON.parse(process.argv[2]!) as Task;
const { network, weights, batch: size, count, seed, epsilon, steps, queries, targets } = task;
setThreads(task.threads);
const model = networkFromWeights(weights, { network }).model.classifier();
const { test } = datasetByName("mnist").load();
const pixels = test.images.length / test.count;
const attack = autoattack({ version: "standard", epsilon, steps, queries, targets });

function rows(first: number, end: number): Split {
  const images = test.images.subarray(first * pixels, end * pixels);
  return { images, labels: test.labels.subarray(first, end), count: end - first };
}

/** Attacks a batch through `evaluate`, whose checks of the result count into the last part's time. */
async function attackBatch(batch: number): Promise<Attacked> {
  const parts: Omit<AttackedPart, "left">[] = [];
  const began = performance.now();
  let clock = began;
  let processor = process.cpuUsage();
  const onPart = ({ name, images, passes }: SuitePart) => {
    const { user, system } = process.cpuUsage(processor);
    const times = { seconds: (performance.now() - clock) / 1000, processorSeconds: (user + system) / 1e6 };
    [clock, processor] = [performance.now(), process.cpuUsage()];
    parts.push({ name, attacked: images, ...passes!, ...times });
  };
  const split = rows(batch * size, Math.min((batch + 1) * size, count));
  let robust = 0;
  let clean = 0;
  for await (const event of evaluate(model, split, {
    attacks: [attack],
    batchSize: size,
    seed: seed + batch,
    onPart,
  })) {
    if (event.type === "progress") continue;
    clean = Math.round(event.evaluation.clean.accuracy * split.count);
    robust = Math.round(event.evaluation.attacks[0]!.robustAccuracy * split.count);
  }
  return {
    clean,
    parts: parts.map((part, i) => ({ ...part, left: parts[i + 1]?.attacked ?? robust })),
    // `evaluate` throws where it is larger.
    largest: epsilon,
    seconds: (performance.now() - began) / 1000,
  };
}

const answer = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const { libtorch, cpuCapability } = versions();
answer({ ready: `libtorch ${libtorch}`, capability: cpuCapability });
for await (const line of createInterface({ input: process.stdin })) {
  answer(await attackBatch((JSON.parse(line) as { batch: number }).batch));
}
