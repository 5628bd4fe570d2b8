// Our side of the comparison with AutoAttack: a process that attacks batches as peers/autoattack.py does.
import { autoattack, type SuitePart } from "../../src/attacks/index.js";
import { mnist, type Split } from "../../src/datasets/index.js";
import { setThreads } from "../../src/engine/index.js";
import { evaluate } from "../../src/evaluation/index.js";
import { models } from "../../src/models/index.js";
import { modelFromWeights } from "../../src/training/index.js";
import type { Attacked, AttackedPart } from "../shared/child.js";
import { answerLines } from "../shared/side.js";

/** Request of the parent. */
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
const model = modelFromWeights(weights, models.parse(network)).classifier();
const { test } = mnist();
const pixels = test.images.length / test.count;
const attack = autoattack({ version: "standard", epsilon, steps, queries, targets });

function rows(first: number, end: number): Split {
  const images = test.images.subarray(first * pixels, end * pixels);
  return { ...test, images, labels: test.labels.subarray(first, end), count: end - first };
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
  const found = await evaluate(model, split, {
    attacks: [attack],
    batchSize: size,
    seed: seed + batch,
    onPart,
  });
  const clean = Math.round(found.clean.accuracy * split.count);
  const robust = Math.round(found.attacks[0]!.robustAccuracy! * split.count);
  return {
    clean,
    parts: parts.map((part, i) => ({ ...part, left: parts[i + 1]?.attacked ?? robust })),
    // `evaluate` throws where it is larger.
    largest: epsilon,
    seconds: (performance.now() - began) / 1000,
  };
}

await answerLines(({ batch }: { batch: number }) => attackBatch(batch));
