// Run by memory.test.ts in a process of its own: 1,000 training steps of a small network with SQA, and what
// they leave.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  grad,
  imageIdRange,
  liveTensors,
  operators as ops,
  quantizeActivation,
  scope,
  tensor,
} from "../../src/engine/index.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const weight = tensor(
  Array.from({ length: 72 }, (_, i) => Math.sin(i)),
  [8, 1, 3, 3],
  "float32",
).requireGrad();
const head = tensor(
  Array.from({ length: 80 }, (_, i) => Math.cos(i)),
  [10, 8],
  "float32",
).requireGrad();
const images = tensor(
  Float32Array.from({ length: 64 * 196 }, (_, i) => Math.abs(Math.sin(i))),
  [64, 1, 14, 14],
);
const labels = tensor(
  Array.from({ length: 64 }, (_, i) => i % 10),
  [64],
  "int64",
);
const imageIds = imageIdRange(0, 64);

function step(draw: number): number {
  return scope(() => {
    const hidden = ops.conv2d(images, weight, null, [1, 1], [1, 1]).relu();
    const noise = { seed: { low: 1, high: 0 }, draw, imageIds };
    const quantized = quantizeActivation(
      hidden,
      { lambda: 1, range: "image", rounding: "stochastic" },
      { noise, stream: 0 },
    );
    const loss = ops.crossEntropyLoss(ops.linear(quantized.meanDim([2, 3]), head), labels);
    for (const [i, gradient] of grad(loss, [weight, head]).entries()) {
      [weight, head][i]!.detach().sub_(gradient, 0.1);
    }
    return loss.item();
  });
}

const losses: number[] = [];
// The heap of JavaScript and the arenas of malloc reach their size in the first thousand steps.
for (let i = 0; i < 1000; i++) losses.push(step(i));
collect();
const before = { tensors: liveTensors().tensors, resident: process.memoryUsage.rss() / 1e6 };
for (let i = 1000; i < 2000; i++) losses.push(step(i));
collect();
const after = { tensors: liveTensors().tensors, resident: process.memoryUsage.rss() / 1e6 };
process.stdout.write(JSON.stringify({ before, after, first: losses[0], last: losses.at(-1) }));
