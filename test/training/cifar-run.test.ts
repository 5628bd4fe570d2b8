import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { placedQuantizers } from "../../src/defenses/index.js";
import { networkFromRun } from "../../src/evaluation/index.js";
import { resnet18 } from "../../src/models/index.js";
import { type TrainConfigInput, type TrainEvent, train } from "../../src/training/index.js";
import { writeCifar } from "../datasets/cifar-files.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-cifar-run-"));
afterAll(() => rmSync(folder, { recursive: true }));
const data = writeCifar(folder, { train: 2, test: 4 });

const config: TrainConfigInput = {
  network: "resnet18(quantized=stages)",
  sqa: {},
  dataset: "cifar10",
  augmentation: "crop-flip",
  method: "fgsm(epsilon=8/255)",
  epochs: 1,
  batchSize: 5,
  probeImages: 2,
  probes: ["fgsm(epsilon=8/255)"],
};

async function end(runs: string) {
  const events: TrainEvent[] = [];
  const options = { runs: join(folder, runs), data, checksums: false, threads: 1 };
  for await (const event of train(config, options)) events.push(event);
  return events.at(-1) as Extract<TrainEvent, { type: "end" }>;
}

test("a residual network trains on color images, to the same weights again, and is opened from its run", async () => {
  const first = await end("first");
  expect(first.run).toMatch(/\/cifar10-resnet18-sqa-fgsm-seed0-[0-9a-f]{8}$/);
  expect(first.result).toMatchObject({ epochs: 1, steps: 2 });
  expect(readFileSync((await end("second")).weights).equals(readFileSync(first.weights))).toBe(true);
  const { model, run } = networkFromRun(first.run);
  expect(model.network).toBe("resnet18(quantized=stages)");
  expect(run?.config.network).toBe("resnet18(classes=10, normalization=cifar10, quantized=stages, width=64)");
  // Noise is keyed by the order of names, also where the network is built without a configuration.
  const direct = resnet18.create({ quantized: "stages" }).build({ seed: 0, sqa: {} });
  for (const { module } of [model, direct]) {
    const streams = placedQuantizers(module).map(([name, { stream }]) => [name, stream]);
    const places = { "layer1.1": 0, "layer2.1": 1, "layer3.1": 2, "layer4.1": 3, relu: 4 };
    expect(Object.fromEntries(streams)).toEqual(places);
    module.dispose();
  }
});

test("images of another shape than the network's are refused", async () => {
  const run = async () => {
    for await (const _ of train({ ...config, network: "small" }, { runs: folder, data, checksums: false }));
  };
  await expect(run()).rejects.toThrow(
    'network "small" takes images of shape [1,28,28], data set "cifar10" has [3,32,32]',
  );
});
