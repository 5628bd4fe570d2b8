import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { cifar10 } from "../../src/datasets/index.js";
import { placedQuantizers, sqa } from "../../src/defenses/index.js";
import { resnet18 } from "../../src/models/index.js";
import { modelFromRun, type TrainConfigInput, type TrainEvent, train } from "../../src/training/index.js";
import { writeCifar } from "../datasets/cifar-files.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-cifar-run-"));
afterAll(() => rmSync(folder, { recursive: true }));
const data = cifar10({ folder: writeCifar(folder, { train: 2, test: 4 }), checksums: false });

const config: TrainConfigInput = {
  model: "resnet18",
  data,
  defenses: ["sqa(places=stages)"],
  augmentation: "crop-flip",
  method: "fgsm(epsilon=8/255)",
  epochs: 1,
  batchSize: 5,
  validationImages: 2,
  validationAttacks: ["fgsm(epsilon=8/255)"],
};

async function end(runs: string) {
  const events: TrainEvent[] = [];
  const options = { runs: join(folder, runs), threads: 1 };
  for await (const event of train(config, options)) events.push(event);
  return events.at(-1) as Extract<TrainEvent, { type: "end" }>;
}

test("a residual network trains on color images, to the same weights again, and is opened from its run", async () => {
  const first = await end("first");
  expect(first.run).toMatch(/\/cifar10-resnet18-sqa-fgsm-seed0-[0-9a-f]{8}$/);
  expect(first.result).toMatchObject({ epochs: 1, steps: 2 });
  expect(readFileSync((await end("second")).weights).equals(readFileSync(first.weights))).toBe(true);
  const { model, config: opened } = modelFromRun(first.run);
  expect(model.name).toBe("resnet18(mean=[0.4914, 0.4822, 0.4465], std=[0.247, 0.2435, 0.2616])");
  expect([opened.defenses.map(String), model.classNames[0]]).toEqual([["sqa(places=stages)"], "airplane"]);
  // Noise is keyed by the order of names, also where the network is built without a configuration.
  const direct = resnet18().build({ seed: 0, defenses: [sqa({ places: "stages" })] });
  for (const { module } of [model, direct]) {
    const streams = placedQuantizers(module).map(([name, { stream }]) => [name, stream]);
    const places = { "layer1.1": 0, "layer2.1": 1, "layer3.1": 2, "layer4.1": 3, relu: 4 };
    expect(Object.fromEntries(streams)).toEqual(places);
    module.dispose();
  }
});

test("images of another shape than the model's are refused", () => {
  expect(() => train({ ...config, model: "small(inputShape=[1, 28, 28])" }, { runs: folder })).toThrow(
    "model small(inputShape=[1, 28, 28]) takes images of shape [1, 28, 28]; data set cifar10",
  );
});
