// Times the fused convolutional block against the separate operators:
// `npx tsx bench/conv-block/conv-block.ts [rounds] [part of a name]`. Fused and separate runs alternate; a
// figure is the median of the rounds, with the minimum, in ms. On a busy machine believe the minima, or the
// processor time (cpu) on one thread.

import { cpus, loadavg } from "node:os";
import { deriveSeed } from "../../src/base/index.js";
import { sqa } from "../../src/defenses/index.js";
import {
  countedUniform,
  grad,
  imageIdRange,
  noGrad,
  scope,
  setThreads,
  type Tensor,
  tensor,
  versions,
} from "../../src/engine/index.js";
import { type Architecture, large, small } from "../../src/models/index.js";
import {
  Conv2d,
  crossEntropy,
  MaxPool2d,
  meanCrossEntropy,
  ReLU,
  Sequential,
  sgd,
  withoutFusion,
} from "../../src/nn/index.js";

const rounds = Number(process.argv[2] ?? 20);
const only = process.argv[3] ?? "";
const batch = 128;
const imageIds = imageIdRange(0, batch);
const pass = (draw: number) => ({ training: true, noise: { seed: deriveSeed(0), draw, imageIds } });
const uniform = (shape: readonly number[]) => countedUniform(pass(0).noise, 0, shape);
const write = (line: string) => process.stdout.write(`${line}\n`);

/** Alternates the two ways; wall and processor times of each, sorted, in ms. */
function compare(run: () => void) {
  const ways = { fused: run, separate: () => withoutFusion(run) };
  const times = {
    fused: { wall: [] as number[], cpu: [] as number[] },
    separate: { wall: [] as number[], cpu: [] as number[] },
  };
  for (let round = -2; round < rounds; round++) {
    for (const way of ["fused", "separate"] as const) {
      const [began, cpu] = [performance.now(), process.cpuUsage()];
      scope(ways[way]);
      const used = process.cpuUsage(cpu);
      if (round < 0) continue;
      times[way].wall.push(performance.now() - began);
      times[way].cpu.push((used.user + used.system) / 1000);
    }
  }
  for (const { wall, cpu } of Object.values(times))
    for (const list of [wall, cpu]) list.sort((a, b) => a - b);
  return times;
}

const number = (value: number) => value.toFixed(value < 10 ? 2 : 1);
const spread = (sorted: number[]) => `${number(sorted[sorted.length >> 1]!)} (${number(sorted[0]!)})`;

function report(name: string, run: () => void, multiplyAdds?: number): void {
  if (!name.includes(only)) return;
  const { fused, separate } = compare(run);
  const rate =
    multiplyAdds === undefined ? "" : `  ${number((2e-6 * multiplyAdds) / fused.wall[0]!)} GFLOP/s`;
  write(
    `${name.padEnd(34)} fused ${spread(fused.wall)}, cpu ${number(fused.cpu[0]!)}` +
      `   separate ${spread(separate.wall)}, cpu ${number(separate.cpu[0]!)}${rate}`,
  );
}

function layer(inputs: number, out: number, side: number): void {
  const network = new Sequential({
    conv: new Conv2d(inputs, out, 3, { padding: 1, seed: 0 }),
    relu: new ReLU(),
    pool: new MaxPool2d(2),
  });
  const input = uniform([inputs, side, side]).sub(0.3).contiguous("channelsLast").requireGrad();
  const parameters = [...network.parameters().values()];
  const multiplyAdds = batch * 9 * inputs * out * side ** 2;
  const backward = (wanted: Tensor[]) => () => void grad(network.apply(input, pass(0)).sum(), wanted);
  const name = `${inputs} -> ${out}, ${side} x ${side}`;
  report(`${name}: forward`, () => void noGrad(() => network.apply(input, pass(0))), multiplyAdds);
  report(`${name}: and input gradient`, backward([input]), 2 * multiplyAdds);
  report(`${name}: and weight gradient`, backward(parameters), 2 * multiplyAdds);
}

/** A step of single-step adversarial training: an attack by the input gradient alone, and an update. */
function step(model: Architecture, quantized: boolean): void {
  const { module } = model.build({ seed: 0, defenses: quantized ? [sqa({ places: "blocks" })] : [] });
  const parameters = module.parameters();
  const optimizer = sgd().on(parameters);
  const images = uniform([1, 28, 28]);
  const labels = tensor(
    Array.from({ length: batch }, (_, i) => i % 10),
    [batch],
    "int64",
  );
  let draw = 0;
  report(`${model.name}${quantized ? " with SQA" : ""}: a step`, () => {
    const attacked = images.detach().requireGrad();
    const [gradient] = grad(crossEntropy(module.apply(attacked, pass(draw)), labels).sum(), [attacked]);
    const adversarial = noGrad(() => images.add(gradient!.sign(), 0.3).clamp(0, 1));
    const loss = meanCrossEntropy(module.apply(adversarial, pass(draw++)), labels);
    optimizer.step(grad(loss, [...parameters.values()]), 0.01);
  });
}

write(
  `libtorch ${versions().libtorch}, ${cpus().length} x ${cpus()[0]?.model.trim()}, load ` +
    `${loadavg()[0]!.toFixed(1)}`,
);
write(
  `batch ${batch}, ${rounds} rounds, median (minimum) in ms; GFLOP/s counts the separate operators' ` +
    "arithmetic",
);
for (const threads of [1, Math.min(2, cpus().length)]) {
  setThreads(threads);
  write(`-- ${threads} thread${threads > 1 ? "s" : ""}`);
  for (const [inputs, out, side] of [
    [1, 16, 28],
    [16, 32, 14],
    [32, 64, 7],
    [1, 64, 28],
    [64, 128, 14],
    [128, 256, 7],
  ] as const) {
    layer(inputs, out, side);
  }
  for (const model of [small(), large()]) for (const quantized of [false, true]) step(model, quantized);
}
write(`load ${loadavg()[0]!.toFixed(1)}`);
