import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { pgd, square } from "../../src/attacks/index.js";
import { cifar10, imagesOf, mnist } from "../../src/datasets/index.js";
import { sqa } from "../../src/defenses/index.js";
import { modelOf, resnet18, small } from "../../src/models/index.js";
import { Flatten, Linear, oneCycle, Sequential, sgd } from "../../src/nn/index.js";
import {
  configHash,
  defineMethod,
  fgsm,
  type MethodWork,
  nFgsm,
  presets,
  runName,
  type TrainConfigInput,
  trainConfig,
} from "../../src/training/index.js";
import { configOf, storedForm } from "../../src/training/run/stored-config.js";

const base = { model: "small", data: "mnist" } as const;
const configured = (given: Partial<TrainConfigInput> = {}) => trainConfig({ ...base, ...given });
const texts = (config: unknown) => JSON.parse(JSON.stringify(config)) as Record<string, unknown>;

const images = (bytes = 0) =>
  imagesOf({
    images: Uint8Array.from({ length: 6 * 27 }, (_, i) => i + bytes),
    labels: [0, 1, 0, 1, 0, 1],
    shape: [3, 3, 3],
    classes: ["cat", "dog"],
    test: 1 / 3,
  });
const linear = (outputs = 2) =>
  modelOf(
    (seed) =>
      new Sequential({
        flatten: new Flatten(),
        fc: new Linear(27, outputs, { seed }),
      }),
    {
      name: "linear",
      inputShape: [3, 3, 3],
      classes: 2,
    },
  );

describe("a training configuration", () => {
  test("is the same run however it is written", () => {
    const written: TrainConfigInput[] = [
      { ...base, defenses: ["sqa"], method: "fgsm" },
      { model: small(), data: mnist(), defenses: [sqa()], method: fgsm({ epsilon: 0.3 }), epochs: 5 },
      { ...base, seed: 0, defenses: ["sqa(range=image)"], method: "fgsm( labels=given )", optimizer: sgd() },
      { ...base, defenses: [sqa()], schedule: oneCycle({ peak: 0.05 }) },
    ];
    const names = written.map((config) => runName(trainConfig(config)));
    expect(new Set(names).size).toBe(1);
    expect(names[0]).toMatch(/^mnist-small-sqa-fgsm-seed0-[0-9a-f]{8}$/);
  });

  test("comes back from its JSON as it was", () => {
    for (const given of [
      {},
      { defenses: ["sqa(relu1=1, range=batch)" as const, "binary-weights" as const] },
      { method: square({ queries: 10 }) },
      ...Object.values(presets).map(({ config }) => config),
    ]) {
      const config = configured(given as Partial<TrainConfigInput>);
      const again = configOf(texts(storedForm(config)), {}, "run");
      expect(texts(again)).toEqual(texts(config));
      expect(configHash(again)).toBe(configHash(config));
    }
  });

  test("is another run with anything else", () => {
    const others: Partial<TrainConfigInput>[] = [
      { model: "large" },
      { model: "small(batchNorm=true)" },
      { defenses: ["sqa"] },
      { defenses: ["deterministic-quantization"] },
      { data: "fashion-mnist", method: "fgsm" },
      { limit: 100 },
      { heldOut: 1 },
      { augmentation: "crop-flip" },
      { method: "fgsm(epsilon=0.2)" },
      { cleanWeight: 0.5 },
      { epochs: 6 },
      { batchSize: 64 },
      { optimizer: "sgd(momentum=0)" },
      { schedule: "cosine" },
      { labelSmoothing: 0.1 },
      { averaging: 0.9995 },
      { selection: "best", heldOut: 2 },
      { guard: "roll-back", heldOut: 3 },
      { validationImages: 10 },
      { validationAttacks: [] },
      { seed: 1 },
    ];
    const hashes = others.map((other) => configHash(configured(other)));
    expect(new Set([configHash(configured()), ...hashes]).size).toBe(others.length + 1);
  });

  test("has a hash of what differs from the defaults, so that a new option changes none", () => {
    const hash = (changed: readonly (readonly [string, unknown])[]) =>
      createHash("sha256").update(JSON.stringify(changed)).digest("hex").slice(0, 8);
    const small = ["model", "small"] as const;
    expect(configHash(configured())).toBe(hash([["data", "mnist"], ["method", "fgsm"], small]));
    const paper = configured({ ...presets.paper.config, defenses: ["sqa(range=batch)"], seed: 1 });
    expect(configHash(paper)).toBe(
      hash([
        ["cleanWeight", 0.5],
        ["data", "mnist"],
        ["defenses", ["sqa(range=batch)"]],
        ["epochs", 100],
        ["method", "fgsm"],
        small,
        ["schedule", "step"],
        ["seed", 1],
      ]),
    );
  });

  test("takes validation attacks and the method at the radius in use", () => {
    const attacks = (given: Partial<TrainConfigInput>) => configured(given).validationAttacks.map(String);
    expect(attacks({})).toEqual(["fgsm", "pgd(stepSize=0.03, steps=20)"]);
    const eighth = ["fgsm(epsilon=8/255)", "pgd(epsilon=8/255, stepSize=0.8/255, steps=20)"];
    expect(attacks({ method: "n-fgsm(epsilon=8/255)" })).toEqual(eighth);
    const cifar = { model: resnet18(), data: cifar10() };
    expect(attacks({ ...cifar, method: "standard" })).toEqual(eighth);
    expect(String(configured(cifar).method)).toBe("fgsm(epsilon=8/255)");
    expect(() => trainConfig({ model: linear(), data: images() })).toThrow(
      "give a method such as fgsm(epsilon=8/255): data set own-images has no usual radius",
    );
  });

  test("takes validation attacks in the method's norm", () => {
    const attacks = (method: TrainConfigInput["method"]) =>
      configured({ method }).validationAttacks.map(String);
    expect(attacks("pgd(norm=l2, epsilon=2)")).toEqual([
      "bim(epsilon=2, stepSize=2, steps=1, norm=l2)",
      "pgd(epsilon=2, stepSize=0.2, steps=20, norm=l2)",
    ]);
    expect(attacks("bim(norm=l1, epsilon=10)")).toEqual([
      "bim(epsilon=10, stepSize=10, steps=1, norm=l1)",
      "pgd(epsilon=10, stepSize=1, steps=20, norm=l1)",
    ]);
    expect(attacks(pgd({ norm: "l2", epsilon: 0.5 }))[1]).toBe(
      "pgd(epsilon=0.5, stepSize=0.05, steps=20, norm=l2)",
    );
    expect(attacks("rotation-translation")).toEqual(attacks("standard"));
  });

  test("refuses a method whose ball cannot be checked", () => {
    const method = (work: Partial<MethodWork>) =>
      defineMethod("mine", {
        summary: "a method of a test",
        options: z.strictObject({}),
        create: () => ({ perturb: (_, images) => images.clone(), ...work }),
      })();
    expect(() => configured({ method: method({ epsilon: 2 }) })).toThrow(
      "method mine trains for an l-infinity radius of 2, but that is at most 1: a method of another norm gives",
    );
    expect(() => configured({ method: method({ epsilon: 2, norm: "l3" as never }) })).toThrow(
      'method mine: norm "l3" has no attack to check by; accepted: linf, l2, l1',
    );
    expect(() => configured({ method: method({ epsilon: Number.NaN }) })).toThrow("not NaN");
    expect(configured({ method: method({ epsilon: 2, norm: "l2" }) }).validationAttacks).toHaveLength(2);
    const guard = { guard: "roll-back", heldOut: 3 } as const;
    expect(() => configured({ ...guard, method: method({ epsilon: 0 }) })).toThrow(
      "needs a method that trains for a radius epsilon",
    );
  });

  test("fits its model to the data set: shape, classes, mean and deviation", () => {
    const { model } = configured({ model: "resnet18(width=8)", data: "cifar10", method: "fgsm" });
    expect(String(model)).toBe(
      "resnet18(mean=[0.4914, 0.4822, 0.4465], std=[0.247, 0.2435, 0.2616], width=8)",
    );
    expect(model.classNames[0]).toBe("airplane");
    const own = configured({
      model: "resnet18(mean=[0, 0, 0], std=[1, 1, 1])",
      data: "cifar10",
      method: "fgsm",
    });
    expect(String(own.model)).toBe("resnet18(mean=[0, 0, 0], std=[1, 1, 1])");
    expect(String(configured({ model: "small", data: "cifar10", method: "fgsm" }).model)).toBe(
      "small(inputShape=[3, 32, 32])",
    );
    expect(() => configured({ model: "small(classes=5)" })).toThrow(
      "model small(classes=5) has 5 classes; data set mnist has 10",
    );
  });

  test("takes an attack for a method: that of its name, or training on its images", () => {
    const method = (given: TrainConfigInput["method"] & {}) => configured({ method: given }).method;
    expect(String(method(pgd({ epsilon: 0.1, steps: 7 })))).toBe("pgd(epsilon=0.1, steps=7)");
    expect(method(pgd({ epsilon: 0.1 })).readsBack).toBeUndefined();
    expect(method("square(epsilon=0.1, queries=5)")).toMatchObject({
      name: "square",
      epsilon: 0.1,
      readsBack: true,
    });
    expect(String(method(nFgsm({ epsilon: 8 / 255 })))).toBe("n-fgsm(epsilon=8/255)");
  });

  test("trains on an attack's images where the method of its name lacks an option that it has", () => {
    for (const given of [
      "pgd(restarts=2)",
      pgd({ epsilon: 0.1, loss: "margin" }),
      "fgsm(target=least-likely)",
    ]) {
      const { method } = configured({ method: given as "fgsm" });
      expect([String(method), method.readsBack]).toEqual([String(given), true]);
      const stored = texts(storedForm(configured({ method })));
      expect(String(configOf(stored, {}, "run").method)).toBe(String(given));
    }
    expect(() => configured({ method: "pgd(restarts=0)" })).toThrow(
      'attack pgd: option "restarts" cannot be 0; accepted: a whole number in [1, 10000000]',
    );
    expect(() => configured({ method: "fgsm(sampled=true, target=random)" })).toThrow('option "target"');
  });

  test("of the paper is its recipe", () => {
    const config = configured(presets.paper.config);
    expect(config).toMatchObject({ epochs: 100, batchSize: 128, cleanWeight: 0.5 });
    expect(config.optimizer.options).toEqual({ momentum: 0.9, weightDecay: 5e-4, nesterov: false });
    expect(config.schedule.options).toEqual({ peak: 0.1, epochs: 30, factor: 0.1 });
  });

  test.each([
    [{ epochs: 0 }, 'option "epochs" cannot be 0; accepted: a whole number of at least 1'],
    [{ model: "smal" }, 'unknown model "smal"; did you mean "small"?'],
    [
      { model: "runs/mnist-small-fgsm-seed0" },
      "a run folder is no architecture: give the model, and initialWeights",
    ],
    [{ model: "models/net.onnx" }, "a file is no architecture: give what modelFromFile returns"],
    [{ data: "mnis" }, 'unknown data set "mnis"; did you mean "mnist"?'],
    [{ method: "pdg" }, 'unknown training method "pdg"; did you mean "pgd"?'],
    [{ method: 3 }, "must be a training method such as"],
    [{ optimizer: "sgd(momentum=1)" }, 'option "momentum" cannot be 1; accepted: a number in [0, 1)'],
    [{ schedule: "one-cycle(peak=-1)" }, 'option "peak" cannot be -1; accepted: a number above 0'],
    [
      { validationAttacks: ["fgsm", "pgd("] },
      'option "validationAttacks" cannot be "pgd(": expected an option',
    ],
    [{ cleanWeight: 1 }, 'option "cleanWeight" cannot be 1; accepted: a number in [0, 1)'],
    [{ seed: -1 }, 'option "seed" cannot be -1; accepted: a whole number of at least 0'],
    [{ epoch: 1 }, 'unknown option "epoch"; did you mean "epochs"?'],
    [{ defenses: ["sqa(range=row)"] }, 'option "range" cannot be "row"; accepted: image | channel | batch'],
    [{ model: undefined }, 'option "model" is missing; accepted: a model such as'],
  ])("%j is refused", (given, message) => {
    expect(() => configured(given as Partial<TrainConfigInput>)).toThrow(RangeError);
    expect(() => configured(given as Partial<TrainConfigInput>)).toThrow(message);
  });

  test("is an object", () => {
    expect(() => trainConfig(undefined as never)).toThrow("the configuration must be an object such as");
  });
});

describe("a configuration with parts of the user's own", () => {
  const given: TrainConfigInput = { model: linear(), data: images(), method: "fgsm(epsilon=8/255)" };
  const stored = texts(storedForm(trainConfig(given)));
  const read = (parts: Parameters<typeof configOf>[1]) => configOf(stored, parts, "run R");

  test("keeps where they came from, and asks for them again", () => {
    expect(stored).toMatchObject({
      model: "linear",
      data: "own-images",
      own: {
        model: { hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
        data: { identity: images().identity },
      },
    });
    expect(configHash(read({ model: linear(), data: images() }))).toBe(configHash(trainConfig(given)));
    expect(() => read({})).toThrow(
      'run R was trained with the own model "linear": give it again, as { model }',
    );
    expect(() => read({ model: small() })).toThrow(
      /own model "linear" of hash [0-9a-f]{8}, given model small: layers, fields or classes differ; give/,
    );
    expect(() => read({ model: linear(), data: images(1) })).toThrow(
      'run R was trained on images "own-images-',
    );
  });

  test("is opened without its images, and says so where they are used", () => {
    const config = read({ model: linear() });
    expect(configHash(config)).toBe(configHash(trainConfig(given)));
    expect(() => config.data.train).toThrow(
      'run R was trained on the own images "own-images": give them again',
    );
  });

  test("is opened without its images where the network is a named one", () => {
    const named = trainConfig({ ...given, model: small() });
    const reopened = configOf(texts(storedForm(named)), {}, "run R");
    expect(configHash(reopened)).toBe(configHash(named));
    expect(() => reopened.data.test).toThrow('trained on the own images "own-images": give them again');
    const unknown = { ...texts(storedForm(named)), model: "nothing" };
    expect(() => configOf(unknown, {}, "run R")).toThrow('unknown model "nothing"');
  });

  test("is another run with other code or other images", () => {
    const hashes = [given, { ...given, data: images(1) }, { ...given, model: linear(3) }].map((config) =>
      configHash(trainConfig(config)),
    );
    expect(new Set(hashes).size).toBe(3);
  });
});
