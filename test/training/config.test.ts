import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  configHash,
  presets,
  runName,
  storedConfig,
  type TrainConfigInput,
  trainConfig,
} from "../../src/training/index.js";

describe("a training configuration", () => {
  test("is the same run however it is written", () => {
    const written: TrainConfigInput[] = [
      { sqa: {}, method: "fgsm" },
      { method: "fgsm(epsilon=0.3)", sqa: { range: "image" }, epochs: 5 },
      { seed: 0, sqa: { rounding: "stochastic", layers: { relu2: 2, relu1: 1 } }, method: "fgsm( labels=given )" },
    ];
    const names = written.map((config) => runName(trainConfig(config)));
    expect(new Set(names).size).toBe(1);
    expect(names[0]).toMatch(/^mnist-small-sqa-fgsm-seed0-[0-9a-f]{8}$/);
  });

  test("comes back from JSON as it was", () => {
    for (const given of [
      {},
      { sqa: {} },
      presets.paper,
      { ...presets.short, limit: 100, probes: [] },
      presets.modern,
      presets.fast,
    ]) {
      const config = trainConfig(given);
      const again = trainConfig(JSON.parse(JSON.stringify(config)));
      expect(again).toEqual(config);
      expect(configHash(again)).toBe(configHash(config));
    }
  });

  test("is another run with anything else", () => {
    const base = configHash(trainConfig());
    const others: TrainConfigInput[] = [
      { network: "large" },
      { network: "small(batchNorm=true)" },
      { sqa: {} },
      { dataset: "fashion-mnist" },
      { limit: 100 },
      { holdOut: 1 },
      { augmentation: "crop-flip" },
      { method: "fgsm(epsilon=0.2)" },
      { cleanShare: 0.5 },
      { epochs: 6 },
      { batchSize: 64 },
      { optimizer: "sgd(momentum=0)" },
      { schedule: "cosine" },
      { labelSmoothing: 0.1 },
      { averaging: 0.9995 },
      { selection: "best", holdOut: 2 },
      { guard: "roll-back", holdOut: 3 },
      { probeImages: 10 },
      { probes: [] },
      { seed: 1 },
    ];
    const hashes = others.map((other) => configHash(trainConfig(other)));
    expect(new Set([base, ...hashes]).size).toBe(others.length + 1);
  });

  test("keeps its hash when options with defaults are added, there or in a call", () => {
    // The hash of the encoding that configHash documents, so that it does not change unnoticed.
    const hash = (changed: readonly (readonly [string, unknown])[]) =>
      createHash("sha256")
        .update(JSON.stringify([3, changed]))
        .digest("hex")
        .slice(0, 8);
    expect(configHash(trainConfig())).toBe(hash([]));
    const given: TrainConfigInput = {
      network: "small(batchNorm=true)",
      seed: 1,
      probes: ["restarts(fgsm(), times=3)"],
    };
    const changed = [
      ["network", "small(batchNorm=true)"],
      ["probes", ["restarts(fgsm(), times=3)"]],
      ["seed", 1],
    ] as const;
    expect(configHash(trainConfig(given))).toBe(hash(changed));
    const paper = [
      ["cleanShare", 0.5],
      ["epochs", 100],
      ["schedule", "step"],
      ["sqa", { layers: { relu1: 1, relu2: 2 }, range: "batch" }],
    ] as const;
    expect(configHash(trainConfig({ ...presets.paper, sqa: { range: "batch" } }))).toBe(hash(paper));
  });

  test("of version 1 is read: batch normalization stood beside the network", () => {
    const { network, ...rest } = trainConfig({ sqa: {}, seed: 4 });
    const plain = { network: "small", batchNorm: false, ...rest };
    expect(storedConfig(plain)).toEqual({ network, ...rest });
    expect(storedConfig({ ...plain, batchNorm: true }).network).toBe("small(batchNorm=true)");
    expect(() => storedConfig({ ...plain, batchNorm: 3 })).toThrow('option "batchNorm" cannot be 3');
  });

  test("of the paper is its recipe", () => {
    expect(trainConfig(presets.paper)).toMatchObject({
      epochs: 100,
      batchSize: 128,
      optimizer: "sgd(momentum=0.9, weightDecay=0.0005, nesterov=false)",
      schedule: "step(peak=0.1, epochs=30, factor=0.1)",
    });
  });

  test.each([
    [{ epochs: 0 }, 'option "epochs" cannot be 0; accepted: a whole number of at least 1'],
    [{ network: "smal" }, 'unknown network "smal"; did you mean "small"?'],
    [{ dataset: "mnis" }, 'unknown data set "mnis"; did you mean "mnist"?'],
    [{ method: "pdg" }, 'unknown training method "pdg"; did you mean "pgd"?'],
    [{ optimizer: "sgd(momentum=1)" }, 'option "momentum" cannot be 1; accepted: a number in [0, 1)'],
    [{ schedule: "one-cycle(peak=-1)" }, 'option "peak" cannot be -1; accepted: a number above 0'],
    [{ probes: ["fgsm", "pgd("] }, 'option "probes" cannot be "pgd(": expected an option'],
    [{ cleanShare: 1 }, 'option "cleanShare" cannot be 1; accepted: a number in [0, 1)'],
    [{ seed: -1 }, 'option "seed" cannot be -1; accepted: a whole number of at least 0'],
    [{ epoch: 1 }, 'unknown option "epoch"; did you mean "epochs"?'],
    [{ sqa: { range: "row" } }, 'option "sqa" cannot be'],
  ])("%j is refused", (given, message) => {
    expect(() => trainConfig(given as TrainConfigInput)).toThrow(RangeError);
    expect(() => trainConfig(given as TrainConfigInput)).toThrow(message);
  });
});
