// Program of one rank, or of a process by itself: trains each case of `cases`, and prints the losses of its steps.
// program.ts RUNS [NAME...]
import { join } from "node:path";
import { imagesOf } from "../../../src/datasets/index.js";
import { joinRanks } from "../../../src/engine/index.js";
import { modelOf } from "../../../src/models/index.js";
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
} from "../../../src/nn/index.js";
import { type TrainConfigInput, train } from "../../../src/training/index.js";

const side = 12;
const classes = ["one", "two", "three"];

/** Images of three classes, each with a bright row of its own on noise. */
function stripes(count: number) {
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 3);
  const images = Uint8Array.from({ length: count * side * side }, (_, at) => {
    const row = Math.floor(at / side) % side;
    const noise = (at * 2_654_435_761) >>> 26;
    return row === 2 + 4 * labels[Math.floor(at / (side * side))]! ? 255 - noise : 2 * noise;
  });
  return imagesOf({ images, labels, shape: [1, side, side], classes, test: 0.2, name: "stripes" });
}

const normalized = (seed: number) =>
  new Sequential({
    conv1: new Conv2d(1, 6, 3, { padding: 1, seed }),
    norm1: new BatchNorm2d(6),
    relu1: new ReLU(),
    conv2: new Conv2d(6, 8, 3, { padding: 1, stride: 2, seed }),
    norm2: new BatchNorm2d(8),
    relu2: new ReLU(),
    pool: new MaxPool2d(2),
    flatten: new Flatten(),
    drop: new Dropout(0.2),
    fc: new Linear(72, 3, { seed }),
  });

const shared: TrainConfigInput = {
  model: modelOf(normalized, { name: "normalized", inputShape: [1, side, side], classes: 3 }),
  data: stripes(100),
  // Parts of 17 or 18 images, of 4 or 5, and of 2 or 3 in the last batch of an epoch.
  batchSize: 35,
  epochs: 4,
  validationImages: 20,
  validationAttacks: [],
  augmentation: "crop-flip(padding=1)",
};

/** Everything smooth; and everything that draws noise, rounds or takes a sign. */
const cases: Record<string, TrainConfigInput> = {
  smooth: {
    ...shared,
    method: "standard",
    optimizer: "sgd(momentum=0.9)",
    schedule: "constant(peak=0.005)",
    averaging: 0.9,
  },
  rough: {
    ...shared,
    method: "fgsm-rs(epsilon=0.1)",
    defenses: ["sqa(relu1=2)"],
    cleanWeight: 0.5,
    optimizer: "sgd(momentum=0.9)",
    schedule: "one-cycle(peak=0.005)",
    heldOut: 10,
    guard: "roll-back(interval=4, signalInterval=2, images=10, steps=3)",
    validationAttacks: ["fgsm(epsilon=0.1)"],
  },
};

const [runs, ...names] = process.argv.slice(2);
const ranks = joinRanks();
for (const [i, name] of names.entries()) {
  const options = { runs: join(runs!, String(i)), threads: 1, tensorboard: false, ranks };
  const losses: number[] = [];
  const epochs: unknown[] = [];
  for await (const event of train(cases[name]!, options)) {
    if (event.type === "step") losses.push(event.loss);
    if (event.type === "epoch") epochs.push([event.clean, event.validation]);
    if (event.type !== "end" || !ranks.isFirst) continue;
    const { weights, result } = event;
    process.stdout.write(`${JSON.stringify({ name, losses, epochs, weights, ranks: result.ranks ?? 1 })}\n`);
  }
}
