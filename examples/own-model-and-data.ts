// A network and images of your own: five classes of 64 x 64 color images, held in memory.
// npx tsx examples/own-model-and-data.ts [IMAGES]
import { audit, imagesOf, modelOf, nFgsm, sqa, train } from "sqa";
import { BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential } from "sqa/nn";

const network = (seed: number) =>
  new Sequential({
    conv1: new Conv2d(3, 16, 3, { padding: 1, seed }),
    norm1: new BatchNorm2d(16),
    relu1: new ReLU(),
    pool1: new MaxPool2d(4),
    conv2: new Conv2d(16, 32, 3, { padding: 1, seed }),
    relu2: new ReLU(),
    pool2: new MaxPool2d(4),
    flatten: new Flatten(),
    drop: new Dropout(0.2),
    fc: new Linear(32 * 16, 5, { seed }),
  });

// Each class is a color: red, yellow, green, blue or gray, with noise.
const count = Number(process.argv[2] ?? 1000);
const colors = [
  [200, 50, 50],
  [200, 200, 50],
  [50, 200, 50],
  [50, 50, 200],
  [120, 120, 120],
];
const labels = Uint8Array.from({ length: count }, (_, i) => i % 5);
const images = Uint8Array.from({ length: count * 3 * 64 * 64 }, (_, i) => {
  const channel = Math.floor(i / 4096) % 3;
  return colors[labels[Math.floor(i / 12_288)]!]![channel]! + ((i * 2_654_435_761) >>> 26) - 32;
});
const classes = ["red", "yellow", "green", "blue", "gray"];
const data = imagesOf({ images, labels, shape: [3, 64, 64], classes, test: 0.2 });

const run = train({
  model: modelOf(network, { name: "my-net", inputShape: [3, 64, 64], classes: 5 }),
  data,
  defenses: [sqa({ layers: { relu1: 1 } })],
  method: nFgsm({ epsilon: 8 / 255 }),
  epochs: 2,
});
for await (const event of run) if (event.type === "epoch") console.log(event.epoch, event.loss, event.clean);
const { model, folder } = await run;

const report = await audit(model, data.test, {
  epsilon: 8 / 255,
  budget: "quick",
  limit: Math.min(20, data.test.count),
});
console.log(folder);
console.log(report.verdict.text);
