import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fgsm, Victim } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import type { Tensor } from "../../src/engine/index.js";
import { exportOnnx, models } from "../../src/models/index.js";
import type { Classifier } from "../../src/nn/index.js";
import {
  methods,
  modelFromRun,
  type TrainConfigInput,
  train,
  trainConfig,
} from "../../src/training/index.js";
import { maxDifference, quantizedCnn, randomBatch, randomCnn, tinyCnn } from "../attacks/tiny-networks.js";
import { liveCount } from "../live-count.js";
import { digits } from "./digits-folder.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-ensemble-"));
afterAll(() => rmSync(folder, { recursive: true }));
const data = digits(folder, { train: 60, test: 10 });

const method = methods.parse('ensemble-adversarial(epsilon=0.1, sources=["a", "b"])');
const made = (step: number, others: readonly Classifier[], own: Classifier = tinyCnn): Tensor => {
  const { images, labels, ids } = randomBatch(5, tinyCnn);
  const victim = new Victim(own, { seed: deriveSeed(step, "step"), imageIds: ids }, "training");
  return method.perturb!(victim, images, labels, 1, others);
};

describe("images of ensemble-adversarial", () => {
  const { images, labels, ids } = randomBatch(5, tinyCnn);
  const by = (model: Classifier) => fgsm({ epsilon: 0.1 })(model, images, labels, { seed: 0, imageIds: ids });
  // Another network of the same form, whose gradients are others.
  const upside: Classifier = { ...tinyCnn, logits: (x, noise) => tinyCnn.logits(x, noise).neg() };

  test("are FGSM's on one of the models, each about as often", () => {
    const models = [tinyCnn, randomCnn, upside];
    const wanted = models.map(by);
    const counts = [0, 0, 0];
    for (let step = 0; step < 300; step++) {
      const found = made(step, [randomCnn, upside]);
      const which = wanted.findIndex((reference) => maxDifference(found, reference) < 1e-6);
      expect(which).toBeGreaterThanOrEqual(0);
      counts[which]!++;
    }
    // A third of 300 each, with a standard deviation of 8.
    for (const count of counts) expect(Math.abs(count - 100)).toBeLessThan(40);
  });

  test("are the same for a step, also on a randomized model", () => {
    const twice = [0, 1].map(() => made(3, [quantizedCnn, quantizedCnn], quantizedCnn).toArray());
    expect(twice[0]).toEqual(twice[1]);
  });

  test("need as many models as there are sources", () => {
    expect(() => made(0, [randomCnn])).toThrow(
      "method ensemble-adversarial needs its 2 sources opened, given 1",
    );
  });
});

const source: TrainConfigInput = {
  model: "compact(threshold=false)",
  data,
  method: "standard",
  epochs: 1,
  batchSize: 10,
  limit: 20,
  validationAttacks: [],
};
const paths: string[] = [];
const runs = (name: string) => ({ runs: join(folder, name), threads: 1 });
const ensemble = (sources: readonly string[] = paths): TrainConfigInput => ({
  ...source,
  model: "small",
  method: `ensemble-adversarial(epsilon=0.1, sources=${JSON.stringify(sources)})`,
  epochs: 3,
  limit: 60,
  defenses: ["sqa"],
});

beforeAll(async () => {
  for (const seed of [1, 2]) paths.push((await train({ ...source, seed }, runs("sources"))).folder);
});

describe("a run of ensemble-adversarial", () => {
  test("has half of its weight on clean images, unless told otherwise", () => {
    expect(trainConfig(ensemble()).cleanWeight).toBe(0.5);
    expect(trainConfig({ ...ensemble(), cleanWeight: 0 }).cleanWeight).toBe(0);
    expect(trainConfig(source).cleanWeight).toBe(0);
  });

  test("goes on to the same weights, bit for bit, and frees its sources", async () => {
    const before = liveCount();
    const whole = await train(ensemble(), runs("whole"));
    const controller = new AbortController();
    const options = { ...runs("parts"), signal: controller.signal };
    for await (const event of train(ensemble(), options)) {
      if (event.type === "step" && event.step >= 7) controller.abort();
    }
    const again = await train(ensemble(), runs("parts"));
    expect(readFileSync(again.weights)).toEqual(readFileSync(whole.weights));
    expect(liveCount()).toBe(before);
    const facts = JSON.parse(readFileSync(join(whole.folder, "environment.json"), "utf8"));
    expect(facts.sources).toMatch(/^[0-9a-f]{64}$/);
  });

  test("takes exported models as it takes the runs that they are of", async () => {
    const file = join(folder, "source.onnx");
    exportOnnx(modelFromRun(paths[0]!).model, file);
    const losses = async (sources: readonly string[], name: string) => {
      const found: number[] = [];
      const options = runs(name);
      for await (const event of train(ensemble(sources), options)) {
        if (event.type === "step") found.push(event.loss);
      }
      return found;
    };
    const [first, second] = paths as [string, string];
    const [run, exported, other] = [
      await losses([first], "run"),
      await losses([file], "exported"),
      await losses([second], "other"),
    ];
    // Gradients next to zero have signs that the last bits decide.
    const difference = (a: readonly number[]) => Math.max(...a.map((loss, i) => Math.abs(loss - run[i]!)));
    expect(difference(exported)).toBeLessThan(1e-3);
    expect(difference(other)).toBeGreaterThan(1e-3);
  });

  test("refuses sources that became others, when it goes on", async () => {
    const [moved] = ["moved"].map((name) => join(folder, name));
    cpSync(paths[0]!, moved!, { recursive: true });
    const controller = new AbortController();
    const options = { ...runs("changed"), signal: controller.signal };
    for await (const event of train(ensemble([moved!]), options)) {
      if (event.type === "step" && event.step >= 3) controller.abort();
    }
    rmSync(moved!, { recursive: true });
    cpSync(paths[1]!, moved!, { recursive: true });
    await expect(train(ensemble([moved!]), runs("changed"))).rejects.toThrow(
      /^the method's sources are not those that run .* began with \(SHA-256 [0-9a-f]{8}, not [0-9a-f]{8}\)/,
    );
  });

  test.each([
    [["nowhere"], "method ensemble-adversarial: source nowhere does not exist; give run folders or .pt2"],
    [[join(folder, "data")], "is not a run folder: it has no config.json"],
    [
      [import.meta.filename],
      "is no run folder and no exported model: give run folders or .pt2 and .onnx files",
    ],
  ])("refuses the sources %j before anything is made", async (sources, message) => {
    await expect(train(ensemble(sources), runs("refused"))).rejects.toThrow(message);
  });

  test("refuses sources of other images, and none at all", async () => {
    const wide = join(folder, "wide.onnx");
    exportOnnx(models.parse("small(inputShape=[1, 32, 32])").build({ seed: 0, defenses: [] }), wide);
    await expect(train(ensemble([wide]), runs("refused"))).rejects.toThrow(
      `method ensemble-adversarial: source ${wide} takes 1 x 32 x 32 images of 10 classes; ` +
        "model small takes 1 x 28 x 28 images of 10 classes",
    );
    expect(existsSync(join(folder, "refused"))).toBe(false);
    for (const text of ["ensemble-adversarial", "ensemble-adversarial(sources=[])"])
      expect(() => methods.parse(text)).toThrow("sources");
  });
});
