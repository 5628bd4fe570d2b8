// Our side: a process that makes attack passes of an exported model as peers/exported.py does, by the model's
// classifier, as attacks do.
import { readFileSync, writeFileSync } from "node:fs";
import { Victim } from "../../src/attacks/index.js";
import {
  bytesOfTensor,
  imageIdRange,
  scope,
  setThreads,
  type Tensor,
  tensor,
} from "../../src/engine/index.js";
import { type ImageShape, modelFromFile } from "../../src/models/index.js";
import { crossEntropy } from "../../src/nn/index.js";
import { processorSeconds } from "../shared/program.js";
import { answerLines } from "../shared/side.js";

/** Task from the parent. */
interface Task {
  readonly threads: number;
  readonly file: string;
  /** Bytes of float32 images of this shape. */
  readonly images: string;
  readonly shape: readonly [number, ...ImageShape];
  /** `constant weights` as attacks have it, or `layer by layer`. */
  readonly form: string;
}

const task = JSON.parse(process.argv[2]!) as Task;
setThreads(task.threads);
const [count] = task.shape;
const bytes = readFileSync(task.images);
const pixels = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const images = tensor(pixels, task.shape);
const { classes, ...file } = await modelFromFile(task.file);
const model = file.build({ seed: 0 });
const own = model.classifier();
const { pass: _, ...layerByLayer } = own;
const classifier = task.form === "constant weights" ? own : layerByLayer;
const labels = tensor(
  Array.from({ length: count }, (_, i) => i % classes),
  [count],
  "int64",
);
const context = { seed: 0, imageIds: imageIdRange(0, count) };

function step<T>(use: (logits: Tensor, gradient: Tensor) => T): T {
  return scope(() => {
    const victim = new Victim(classifier, context, "bench");
    const { logits, gradient } = victim.gradient(images, (given) => crossEntropy(given, labels));
    return use(logits, gradient);
  });
}

await answerLines((command: { run: number } | { write: string }) => {
  if ("write" in command) {
    step((logits, gradient) =>
      writeFileSync(command.write, Buffer.concat([bytesOfTensor(logits), bytesOfTensor(gradient)])),
    );
    return {};
  }
  const [began, used] = [performance.now(), processorSeconds()];
  for (let i = 0; i < command.run; i++) step(() => undefined);
  return { seconds: (performance.now() - began) / 1000, processorSeconds: processorSeconds() - used };
});
