// Our side of the benchmark: a process that makes training steps as peers/main.py does, with the project's
// own loop.
import { readFileSync } from "node:fs";
import { type Dataset, imagesOf } from "../../src/datasets/index.js";
import { dtypes, operators as ops, scope, setThreads } from "../../src/engine/index.js";
import { models } from "../../src/models/index.js";
import { constantRate, sgd } from "../../src/nn/index.js";
import { fgsm, standard, TrainingSession, trainConfig } from "../../src/training/index.js";
import { answerLines } from "../shared/side.js";

/** Task from the parent; a process without a method multiplies matrices only. */
interface Task {
  readonly threads: number;
  /** Text of the architecture. */
  readonly model: string;
  readonly method?: "standard" | "fgsm";
  readonly sqa: boolean;
  readonly precision: "float32" | "bfloat16";
  readonly epsilon: number;
  readonly batch: number;
  /** A file of bytes: `count` images, and then their labels. */
  readonly images: string;
  readonly count: number;
  readonly imageShape: readonly [number, number, number];
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

/** The images that the peers read. */
function datasetOf({ images: path, count, imageShape }: Task): Dataset {
  const bytes = readFileSync(path);
  const labels = bytes.subarray(bytes.length - count);
  const classes = Array.from({ length: 10 }, (_, i) => String(i));
  return imagesOf({ images: bytes.subarray(0, bytes.length - count), labels, shape: imageShape, classes });
}

function sessionOf(task: Task): TrainingSession {
  const config = trainConfig({
    model: models.parse(task.model),
    data: datasetOf(task),
    defenses: task.sqa ? ["sqa(places=blocks)"] : [],
    method: task.method === "standard" ? standard() : fgsm({ epsilon: task.epsilon }),
    batchSize: task.batch,
    precision: task.precision,
    optimizer: sgd({ momentum: task.momentum, weightDecay: task.weightDecay }),
    schedule: constantRate({ peak: task.learningRate }),
    // So many that no run of the benchmark gets to the end.
    epochs: 100_000,
  });
  return new TrainingSession(config);
}

function multiply(n: number, name: string): number {
  const dtype = dtypes.find((known) => known === name)!;
  return scope(() => {
    const matrix = ops.full([n, n], 0.5, "float32").to(dtype);
    const began = performance.now();
    matrix.matmul(matrix);
    return (performance.now() - began) / 1000;
  });
}

const task = JSON.parse(process.argv[2]!) as Task;
setThreads(task.threads);
const session = task.method === undefined ? undefined : sessionOf(task);
let made = 0;

function run(steps: number): { seconds: number; losses: number[] } {
  const began = performance.now();
  const losses = Array.from({ length: steps }, () => {
    session!.step(made++);
    return session!.look().losses[0]!;
  });
  return { seconds: (performance.now() - began) / 1000, losses };
}

await answerLines((command: { run: number } | { multiply: number; dtype: string }) =>
  "run" in command ? run(command.run) : { seconds: multiply(command.multiply, command.dtype) },
);
