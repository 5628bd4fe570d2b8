import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { norms, Victim } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import { readSafetensors } from "../../src/files/index.js";
import type { Classifier } from "../../src/nn/index.js";
import {
  RunFolder,
  type TrainConfigInput,
  type TrainEvent,
  TrainingSession,
  trainConfig,
} from "../../src/training/index.js";
import {
  afterCheck,
  afterRollBack,
  afterSignals,
  type GuardState,
  untroubled,
} from "../../src/training/overfitting/guard-state.js";
import { measureSignals } from "../../src/training/overfitting/signals.js";
import { digits } from "./digits-folder.js";
import { eventsUntil, tensorHashes } from "./stopped-run.js";

/** The indices of the measurements that call for a check. */
function suspicions(series: readonly (readonly [alignment: number, lossFell: number])[]): number[] {
  let state: GuardState = untroubled;
  return series.flatMap(([alignment, lossFell], index) => {
    const after = afterSignals(state, { alignment, lossFell });
    state = after.state;
    return after.suspicious ? [index] : [];
  });
}

describe("signals", () => {
  const steady = Array.from({ length: 5 }, () => [0.4, 0.05] as const);

  test("that are steady, or get better, call for no check", () => {
    expect(suspicions(steady)).toEqual([]);
    expect(suspicions([...steady, [0.6, 0], [0.8, 0], [0.5, 0.1]])).toEqual([]);
  });

  test("call for one where the mean cosine falls below half of its best", () => {
    // Means after a fall from 0.4 to 0: 0.32, 0.256, 0.2048, 0.16384 < 0.2.
    const fall = [0, 0, 0, 0].map((alignment) => [alignment, 0.05] as const);
    expect(suspicions([...steady, ...fall])).toEqual([8]);
  });

  test("call for one where losses of a fifth more of the images fall under attack", () => {
    // Means after a rise from 0.05 to 0.65: 0.17, 0.266 > 0.25.
    expect(suspicions([...steady, [0.4, 0.65], [0.4, 0.65]])).toEqual([6]);
  });
});

describe("checks", () => {
  const verdicts = (rows: readonly (readonly [clean: number, weak: number, strong: number])[]) => {
    let state: GuardState = untroubled;
    return rows.map(([clean, weak, strong]) => {
      const after = afterCheck(state, { clean: clean / 100, weak: weak / 100, strong: strong / 100 });
      state = after.state;
      return after.verdict;
    });
  };

  test.each([
    [
      "a run that learns",
      [
        [40, 30, 28],
        [60, 45, 40],
        [70, 52, 46],
      ],
      ["good", "good", "good"],
    ],
    [
      "noise",
      [
        [60, 45, 40],
        [60, 45, 35],
        [61, 46, 41],
      ],
      ["good", "good", "good"],
    ],
    [
      "a slow decline is kept from the good ones",
      [
        [60, 45, 40],
        [65, 50, 28],
      ],
      ["good", "doubtful"],
    ],
    [
      "PGD collapses while FGSM rises",
      [
        [60, 45, 40],
        [75, 80, 5],
      ],
      ["good", "overfitted"],
    ],
    ["it had overfitted before the first check", [[80, 90, 2]], ["overfitted"]],
    [
      "both fall, as with too high a rate",
      [
        [60, 45, 40],
        [30, 15, 12],
      ],
      ["good", "doubtful"],
    ],
    [
      "it still counts from the best after a roll-back",
      [
        [60, 45, 40],
        [75, 80, 5],
        [60, 46, 39],
      ],
      ["good", "overfitted", "good"],
    ],
  ] as const)("%s", (_, rows, expected) => {
    expect(verdicts(rows)).toEqual(expected);
  });

  test("a roll-back makes the step smaller and forgets the signals", () => {
    const before = afterSignals(untroubled, { alignment: 0.5, lossFell: 0.1 }).state;
    const after = afterRollBack(afterRollBack(before, { factor: 0.5 }), { factor: 0.5 });
    expect(after).toMatchObject({ stepScale: 0.25, rollBacks: 2, alignment: null, lossFell: null });
  });
});

describe("measured on a linear classifier", () => {
  // Logits (w x, 0) of images with two pixels: the gradient of the loss at label 0 points along -w.
  const w = [3, 4];
  const linear: Classifier = {
    inputShape: [1, 1, 2],
    classes: 2,
    randomized: false,
    logits(images: Tensor) {
      const weights = tensor(Float32Array.of(w[0]!, 0, w[1]!, 0), [2, 2]);
      return images.flatten(1).matmul(weights);
    },
  };
  const images = tensor(Float32Array.of(0.5, 0.5, 0.5, 0.5), [2, 1, 1, 2]);
  const labels = tensor(new Int32Array(2), [2], "int64");
  const victim = () => new Victim(linear, { seed: deriveSeed(1), imageIds: imageIdRange(0, 2) }, "signals");
  const moved = (...by: number[]) => images.add(tensor(Float32Array.from(by), [2, 1, 1, 2]));

  test("the cosine is that of the perturbation and the gradient", () => {
    // Signs (-1, -1) against -(3, 4): 7 / (5 sqrt 2). The second image moves along +w: cosine -1, and its
    // loss falls.
    const { alignment, lossFell } = measureSignals(victim(), images, moved(-0.1, -0.1, 0.06, 0.08), labels);
    expect(alignment).toBeCloseTo((7 / (5 * Math.SQRT2) - 1) / 2, 5);
    expect(lossFell).toBe(0.5);
  });

  test("the cosine is the same for tiny moves and gradients", () => {
    const scaled = (times: number): Classifier => ({
      ...linear,
      logits: (given, noise) => linear.logits(given, noise).mul(times),
    });
    const at = (times: number, by: number) => {
      const own = { seed: deriveSeed(1), imageIds: imageIdRange(0, 2) };
      const black = images.zerosLike();
      const to = black.add(tensor(Float32Array.of(-by, -by, 3 * by, 4 * by), [2, 1, 1, 2]));
      return measureSignals(new Victim(scaled(times), own, "signals"), black, to, labels).alignment;
    };
    for (const [times, by] of [
      [1, 1e-25],
      [1e-25, 1e-4],
      [1e-30, 1e-30],
    ] as const) {
      expect(at(times, by)).toBeCloseTo((7 / (5 * Math.SQRT2) - 1) / 2, 5);
    }
  });

  test("an image that does not move counts as 0", () => {
    expect(measureSignals(victim(), images, moved(-0.03, -0.04, 0, 0), labels).alignment).toBeCloseTo(0.5, 5);
    expect(measureSignals(victim(), images, images, labels)).toEqual({ alignment: 0, lossFell: 0 });
  });
});

const folder = mkdtempSync(join(tmpdir(), "sqa-guard-"));
afterAll(() => rmSync(folder, { recursive: true }));
const data = digits(folder, { train: 80, test: 10 });

const guarded: TrainConfigInput = {
  model: "small",
  data,
  epochs: 2,
  batchSize: 10,
  heldOut: 20,
  method: "fgsm(epsilon=0.1)",
  optimizer: "adam",
  schedule: "constant(peak=0.003)",
  averaging: 0.5,
  guard: "roll-back(interval=4, signalInterval=2, images=20, steps=3)",
  validationAttacks: [],
};

describe("a guarded run", () => {
  test("checks at its interval, and ends with the weights of a run that was stopped between", async () => {
    const events = await eventsUntil(guarded, join(folder, "whole"));
    const checks = events.flatMap((event) => (event.type === "guard" ? [event.step] : []));
    expect(checks).toEqual(expect.arrayContaining([4, 8, 12]));
    for (const at of [3, 10]) await eventsUntil(guarded, join(folder, "stopped"), at);
    await eventsUntil(guarded, join(folder, "stopped"));
    const [whole, stopped] = ["whole", "stopped"].map((runs) =>
      RunFolder.for(trainConfig(guarded), join(folder, runs)),
    );
    expect(readFileSync(stopped!.weights).equals(readFileSync(whole!.weights))).toBe(true);
    const told = (run: RunFolder) => run.events().filter(({ type }) => type !== "epoch");
    expect(told(stopped!)).toEqual(told(whole!));
  });

  test("is again the last good network after a collapse, with its optimizer and average, and a smaller step", async () => {
    const config: TrainConfigInput = { ...guarded, guard: "roll-back(interval=4, signalInterval=100)" };
    const check = vi.spyOn(TrainingSession.prototype, "guardCheck");
    const good = { clean: 0.6, weak: 0.45, strong: 0.4 };
    check
      .mockReturnValueOnce(good)
      .mockReturnValueOnce({ clean: 0.7, weak: 0.8, strong: 0.05 })
      .mockReturnValue(good);
    const { checkpoint } = RunFolder.for(trainConfig(config), join(folder, "collapse"));
    await eventsUntil(config, join(folder, "collapse"), 4);
    const atGood = tensorHashes(checkpoint);
    await eventsUntil(config, join(folder, "collapse"), 7);
    expect(tensorHashes(checkpoint)).not.toEqual(atGood);
    const events = await eventsUntil(config, join(folder, "collapse"), 8);
    const rolledBack = readSafetensors(checkpoint);
    expect(tensorHashes(checkpoint)).toEqual(atGood);
    expect(rolledBack.metadata.optimizerSteps).toBe("4");
    expect(JSON.parse(rolledBack.metadata.progress!)).toMatchObject({
      step: 8,
      guard: { stepScale: 0.5, goodStep: 4 },
    });
    const types = events.map(({ type }) => type);
    expect(types).toEqual(["start", "step", "guard", "alarm", "roll-back", "checkpoint", "stopped"]);
    const last = (await eventsUntil(config, join(folder, "collapse"))).at(-1);
    check.mockRestore();
    const { alarms } = (last as Extract<TrainEvent, { type: "end" }>).result;
    // So short a run may also raise that its network answers one class alone.
    expect(alarms.filter(({ kind }) => kind === "catastrophic-overfitting")).toMatchObject([
      { step: 8, epoch: 2 },
    ]);
  });

  test("ends by the alarm of every run where the weights are no numbers any more", async () => {
    const wild: TrainConfigInput = {
      ...guarded,
      schedule: "constant(peak=3e38)",
      optimizer: "sgd",
      averaging: 0,
      guard: "roll-back(interval=1, signalInterval=100)",
    };
    await expect(eventsUntil(wild, join(folder, "wild"))).rejects.toThrow(
      "training stopped: the model's output is not finite after step 1, and would be again: lower",
    );
    const alarms = RunFolder.for(trainConfig(wild), join(folder, "wild")).events();
    expect(alarms).toMatchObject([{ type: "alarm", kind: "loss-not-finite", step: 1 }]);
  });

  test("is checked by attacks in the method's norm", () => {
    const config = trainConfig({ ...guarded, method: "pgd(norm=l2, epsilon=2, steps=1)" });
    const session = new TrainingSession(config);
    const radii = (["linf", "l2"] as const).map((norm) => vi.spyOn(norms[norm], "ball"));
    const { weak, strong } = session.guardCheck(4);
    const [linf, l2] = radii.map(({ mock }) => mock.calls.map(([, radius]) => radius));
    for (const spy of radii) spy.mockRestore();
    session.dispose();
    expect([linf, l2]).toEqual([[], [2, 2]]);
    expect(strong).toBeLessThanOrEqual(weak);
  });

  test("needs held-out images and a radius", () => {
    expect(() => trainConfig({ ...guarded, heldOut: 0 })).toThrow("needs images that are not trained on");
    expect(() => trainConfig({ ...guarded, method: "standard" })).toThrow(
      "needs a method that trains for a radius",
    );
    expect(() => trainConfig({ ...guarded, guard: "rollback" as never })).toThrow(
      'unknown guard "rollback"; did you mean "roll-back"?',
    );
    expect(() => trainConfig({ ...guarded, guard: "none", heldOut: 0, selection: "best" })).toThrow(
      'selection "best" needs images that are not trained on',
    );
  });
});
