import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { sqa } from "../../src/defenses/index.js";
import { type Tensor, tensor } from "../../src/engine/index.js";
import { readSafetensors } from "../../src/files/index.js";
import { models } from "../../src/models/index.js";
import { averagingDecay, updateAverage } from "../../src/training/averaging.js";
import {
  modelFromRun,
  RunFolder,
  type TrainConfigInput,
  type TrainEvent,
  train,
  trainConfig,
} from "../../src/training/index.js";
import { liveCount } from "../live-count.js";
import { digits } from "./digits-folder.js";
import { eventsUntil, tensorHashes } from "./stopped-run.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-averaging-"));
afterAll(() => rmSync(folder, { recursive: true }));
const data = digits(folder, { train: 60, test: 10 });

const factors = (decay: number, update: number) => {
  const kept = averagingDecay(decay, update);
  return { kept: tensor(kept), taken: tensor(1 - kept) };
};

describe("an average", () => {
  test("is the sum of the values, each weighed by its decays' closed form", () => {
    const values = [3, -1, 4, 1, -5, 9];
    const own = tensor(Float32Array.of(2), [1]);
    const average = new Map([["w", own]]);
    for (const [i, value] of values.entries()) {
      updateAverage(average, new Map([["w", tensor(Float32Array.of(value), [1])]]), factors(0.4, i + 1));
    }
    // Decays 2/11, 3/12, 4/13, 5/14, 6/15, and from the sixth update on 0.4.
    const decays = [2 / 11, 3 / 12, 4 / 13, 5 / 14, 6 / 15, 0.4];
    const later = (i: number) => decays.slice(i).reduce((product, decay) => product * decay, 1);
    const expected = values.reduce(
      (sum, value, i) => sum + value * (1 - decays[i]!) * later(i + 1),
      2 * later(0),
    );
    expect(own.item()).toBeCloseTo(expected, 5);
  });

  test("moves a tensor that has two names once", () => {
    const [own, value] = [tensor([8], [1]), tensor([0], [1])];
    const twice = (w: Tensor) =>
      new Map([
        ["a", w],
        ["b", w],
      ]);
    updateAverage(twice(own), twice(value), { kept: tensor(0.5), taken: tensor(0.5) });
    expect(own.item()).toBe(4);
  });

  test("of a constant is the constant, and after many updates has the decay asked for", () => {
    expect(averagingDecay(0.9995, 10)).toBeCloseTo(11 / 20, 12);
    expect(averagingDecay(0.9995, 100_000)).toBe(0.9995);
    const own = tensor(Float32Array.of(7, -7), [2]);
    const same = new Map([["w", tensor(Float32Array.of(7, -7), [2])]]);
    for (let update = 1; update < 50; update++)
      updateAverage(new Map([["w", own]]), same, factors(0.99, update));
    expect(own.toNumbers()).toEqual([expect.closeTo(7, 4), expect.closeTo(-7, 4)]);
  });

  test("refuses decays, updates and values that are none", () => {
    const average = new Map<string, Tensor>([["w", tensor(Float32Array.of(1), [1])]]);
    expect(() => averagingDecay(1, 1)).toThrow("decay must be in [0, 1), not 1");
    expect(() => averagingDecay(0.5, 0)).toThrow("update must be an integer >= 1");
    expect(() => updateAverage(average, new Map(), factors(0.5, 1))).toThrow('"w" is missing');
  });
});

const config: TrainConfigInput = {
  data,
  model: "small(batchNorm=true)",
  defenses: ["sqa"],
  epochs: 2,
  heldOut: 20,
  batchSize: 20,
  method: "n-fgsm(epsilon=0.1)",
  optimizer: "adam",
  schedule: "one-cycle(peak=0.005)",
  averaging: 0.6,
  validationAttacks: ["fgsm(epsilon=0.1)"],
};

const valuesOf = (path: string, prefix: string) =>
  new Map(
    [...readSafetensors(path).tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, { data: values }]) => [name.slice(prefix.length), [...(values as Float32Array)]] as const),
  );

describe("a run with averaged weights", () => {
  test("saves the average of the weights after each update, running statistics with them", async () => {
    const before = liveCount();
    const { checkpoint, weights } = RunFolder.for(trainConfig(config), join(folder, "whole"));
    let step = 0;
    const seen: ReadonlyMap<string, readonly number[]>[] = [];
    const options = { runs: join(folder, "whole"), threads: 1, checkpointSeconds: 0 };
    for await (const event of train(config, options)) {
      if (event.type === "checkpoint" && event.step > step) {
        step = event.step;
        seen.push(valuesOf(checkpoint, "network."));
      }
    }
    expect(seen).toHaveLength(4);
    const decays = seen.map((_, i) => Math.min(0.6, (2 + i) / (11 + i)));
    const saved = valuesOf(weights, "");
    const { module } = models.parse("small(batchNorm=true)").build({ seed: 0, defenses: [sqa()] });
    for (const name of ["conv1.weight", "fc2.bias", "bn1.running_mean", "bn2.running_var"]) {
      const expected = module
        .state()
        .get(name)!
        .toNumbers()
        .map((initial, element) =>
          seen.reduce((average, values, i) => {
            return decays[i]! * average + (1 - decays[i]!) * values.get(name)![element]!;
          }, initial),
        );
      const largest = Math.max(...expected.map((value, i) => Math.abs(value - saved.get(name)![i]!)));
      expect(largest, name).toBeLessThan(1e-6);
      expect(saved.get(name)![0]).not.toBe(seen.at(-1)!.get(name)![0]);
    }
    module.dispose();
    expect(liveCount()).toBe(before);
  });

  test("goes on where it was stopped, to the bit, and is evaluated by its average before it ends", async () => {
    await eventsUntil(config, join(folder, "again"));
    for (const at of [1, 3]) await eventsUntil(config, join(folder, "stopped"), at);
    const stopped = RunFolder.for(trainConfig(config), join(folder, "stopped"));
    const { model } = modelFromRun(stopped.path);
    const average = valuesOf(stopped.checkpoint, "average.");
    const close = average.get("fc2.bias")!.map((value) => expect.closeTo(value, 6));
    expect(model.module.state().get("fc2.bias")!.toNumbers()).toEqual(close);
    model.module.dispose();
    await eventsUntil(config, join(folder, "stopped"));
    const whole = RunFolder.for(trainConfig(config), join(folder, "again"));
    expect(readFileSync(stopped.weights).equals(readFileSync(whole.weights))).toBe(true);
  });
});

test("the epoch that is best on held-out images is saved, also by a run that was stopped after it", async () => {
  // At this rate the network is worse at the end than before.
  const wild: TrainConfigInput = { ...config, averaging: 0, epochs: 4, schedule: "constant(peak=0.03)" };
  const last = (events: TrainEvent[]) => events.at(-1) as Extract<TrainEvent, { type: "end" }>;
  const { result } = last(await eventsUntil({ ...wild, selection: "best" }, join(folder, "best")));
  const kept = result.best!;
  const runFolder = RunFolder.for(trainConfig({ ...wild, selection: "best" }), join(folder, "best"));
  const accuracies = runFolder
    .events()
    .flatMap((event) => (event.type === "epoch" ? [event.validation[0]!.accuracy] : []));
  expect(kept.validation[0]!.accuracy).toBe(Math.max(...accuracies));
  expect(kept.epoch).toBe(accuracies.indexOf(Math.max(...accuracies)) + 1);
  // A constant rate: a run of so many epochs alone ends with the same weights.
  const alone = last(await eventsUntil({ ...wild, epochs: kept.epoch }, join(folder, "alone")));
  const tensors = tensorHashes(runFolder.weights);
  expect(tensorHashes(alone.weights)).toEqual(tensors);
  await eventsUntil({ ...wild, selection: "best" }, join(folder, "best-stopped"), 7);
  const stopped = last(await eventsUntil({ ...wild, selection: "best" }, join(folder, "best-stopped")));
  expect(tensorHashes(stopped.weights)).toEqual(tensors);
  expect(stopped.result.best!.epoch).toBe(kept.epoch);
});
