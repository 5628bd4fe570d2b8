import { beforeAll, describe, expect, it } from "vitest";
import { callable } from "../../src/attacks/contract/attack.js";
import { type Attack, attacks as known, type Norm, parseAttack } from "../../src/attacks/index.js";
import { deriveSeed, liveTensors, setThreads, type Tensor, tensor } from "../../src/engine/index.js";
import { type Evaluation, type EvaluationOptions, evaluate } from "../../src/evaluation/index.js";
import { small } from "../../src/models/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { coin, seedText, splitOfZeros } from "./coin.js";

beforeAll(() => setThreads(1));

async function evaluated(
  model: Classifier,
  split: Parameters<typeof evaluate>[1],
  options: EvaluationOptions,
): Promise<Evaluation> {
  for await (const event of evaluate(model, split, options)) if (event.type === "end") return event.evaluation;
  throw new Error("no result");
}

/** Two classes by the mean pixel against 0.5; deterministic, with a gradient. */
const brightness: Classifier = {
  inputShape: [1, 2, 2],
  classes: 2,
  randomized: false,
  logits(images) {
    const mean = images.meanDim([1, 2, 3]).unsqueeze(1);
    return mean.sub(0.5).mul(tensor([-1, 1], [1, 2]));
  },
};

/** Images of one gray, one for each byte given, all of class 0. */
const grays = (...bytes: number[]) => ({
  images: Uint8Array.from(bytes.flatMap((byte) => [byte, byte, byte, byte])),
  labels: new Uint8Array(bytes.length),
  count: bytes.length,
});

const custom = (
  name: string,
  radius: number | undefined,
  make: (images: Tensor) => Tensor,
  norm: Norm = "linf",
): Attack =>
  callable((_: Classifier, images: Tensor) => make(images), name, {
    options: {},
    call: { name, options: {} },
    label: name,
    traits: { norm, radius, usesGradients: false, randomized: false },
    remake: () => custom(name, radius, make, norm),
  });

describe("a coin that answers right with probability p", () => {
  const p = 0.7;
  const texts = [
    "fgsm",
    "bim(steps=2)",
    "pgd(steps=2, restarts=5, stepSize=0.2, selectionDraws=2)",
    "mi-fgsm(steps=2)",
    "ni-fgsm(steps=2)",
    "apgd(steps=3, restarts=2, selectionDraws=2, stopWhenFooled=true)",
    "apgd-t(steps=2, loss=margin)",
    "cw-linf(steps=2)",
    "madry-cw(steps=2)",
    "cw-l2(steps=3, binarySearchSteps=2)",
    "deepfool(steps=2)",
    "fab(steps=2)",
    "fab-t(steps=2)",
    "ead(steps=2, binarySearchSteps=2)",
    "ddn(steps=2)",
    "fmn(steps=2)",
    "unconstrained(steps=20)",
    "autoattack(version=rand, steps=3, draws=2)",
    "autoattack(version=randomized, steps=3, queries=3, draws=2)",
    "square(queries=3)",
    "nes(steps=1, samples=4)",
    "spsa(steps=1, samples=4)",
    "hop-skip-jump(steps=1)",
    "boundary(steps=2)",
    "noise(tries=2)",
    "rotation-translation(angles=2, shifts=2)",
    "restarts(pgd(steps=1), times=4)",
    "expectation(pgd(steps=2), draws=3)",
  ];

  it("is reported as p, clean and under every attack", async () => {
    expect([...known.keys()].filter((name) => !texts.some((text) => text.startsWith(name)))).toEqual([]);
    const attacks = texts.map(parseAttack);
    const {
      clean,
      attacks: rows,
      draws,
      worstCase,
    } = await evaluated(coin(p), splitOfZeros(600), { attacks, seed: 3 });
    expect(draws).toBe(10);
    // Four standard deviations of a mean of 6000 answers.
    const slack = 4 * Math.sqrt((p * (1 - p)) / 6000);
    expect(Math.abs(clean.accuracy - p)).toBeLessThan(slack);
    for (const { attack, robustAccuracy } of rows) {
      expect(Math.abs(robustAccuracy - p), attack).toBeLessThan(slack);
    }
    expect(Math.abs(worstCase!.accuracy - p)).toBeLessThan(slack);
  });

  it("has a majority that is nearly always right, and is nearly never right in every draw", async () => {
    const { clean } = await evaluated(coin(p), splitOfZeros(600), { attacks: [], draws: 25 });
    // Of 25 answers, P(more than half right) = 0.983 and P(all right) = 0.0001.
    expect(clean.votes!.majority.accuracy).toBeGreaterThan(0.96);
    expect(clean.votes!.everyDraw.accuracy).toBeLessThan(0.01);
  });

  it("never answers in a draw that an attack saw", async () => {
    const [attacked, answering] = [coin(p), coin(p)];
    await evaluated(answering, splitOfZeros(8), { attacks: texts.map(parseAttack), surrogate: attacked });
    expect(attacked.seeds.size).toBeGreaterThan(texts.length);
    expect([...attacked.seeds].filter((seed) => answering.seeds.has(seed))).toEqual([]);
    expect(answering.seeds).not.toContain(seedText(deriveSeed(0, "evaluation", "attack")));
  });
});

it("has no worst case in a single draw of a randomized network, where the least answer is low by luck", async () => {
  const attacks = [parseAttack("fgsm"), parseAttack("noise(tries=2)")];
  const [single, two, clean] = [
    await evaluated(coin(0.7), splitOfZeros(20), { attacks, draws: 1 }),
    await evaluated(coin(0.7), splitOfZeros(20), { attacks, draws: 2 }),
    await evaluated(coin(0.7), splitOfZeros(20), { attacks: [], draws: 1 }),
  ];
  expect(single).not.toHaveProperty("worstCase");
  expect(single.flags).toEqual([
    {
      kind: "no-worst-case",
      message: "no worst case is reported: that of a randomized network takes at least 2 draws",
    },
  ]);
  expect(two).toHaveProperty("worstCase");
  expect([...two.flags, ...clean.flags]).toEqual([]);
});

describe("a deterministic network", () => {
  it("answers once, is judged exactly, and has Wilson's interval", async () => {
    // Grays below 127.5 are right; a step of 0.2 = 51 bytes upward breaks those above 76.5.
    const attacks = [parseAttack("fgsm(epsilon=0.2)"), parseAttack("pgd(epsilon=0.1, stepSize=0.05, steps=4)")];
    const result = await evaluated(brightness, grays(10, 76, 77, 120, 200), { attacks, draws: 10 });
    expect(result.draws).toBe(1);
    expect(result.clean).toMatchObject({ accuracy: 0.8, perImage: Float32Array.of(1, 1, 1, 1, 0) });
    expect(result.attacks.map((row) => row.robustAccuracy)).toEqual([0.4, 0.6]);
    expect(result.attacks.map(({ passes }) => passes)).toEqual([
      { forward: 1, backward: 1 },
      { forward: 4, backward: 4 },
    ]);
    expect(result.worstCase!.accuracy).toBe(0.4);
    // statsmodels: proportion_confint(4, 5, method="wilson")
    expect(result.clean.low).toBeCloseTo(0.3755, 4);
    expect(result.clean.high).toBeCloseTo(0.9638, 4);
  });

  it("is shown the images that were made on a surrogate", async () => {
    const inverted: Classifier = { ...brightness, logits: (images, noise) => brightness.logits(images, noise).neg() };
    const attacks = [parseAttack("fgsm(epsilon=0.2)")];
    const { attacks: rows } = await evaluated(brightness, grays(10, 120, 150), { attacks, surrogate: inverted });
    // The surrogate's gradient darkens the images, which helps the network.
    expect(rows[0]!.perImage).toEqual(Float32Array.of(1, 1, 1));
  });
});

describe("a network with SQA", () => {
  const split = {
    images: Uint8Array.from({ length: 7 * 784 }, (_, i) => (i * i) % 251),
    labels: Uint8Array.of(0, 1, 2, 3, 4, 5, 6),
    count: 7,
  };
  const attacks = [parseAttack("pgd(epsilon=0.1, steps=3)")];

  it("is judged alike whatever the batch size and the order of the attacks", async () => {
    const model = small.build({ seed: 1, sqa: {} });
    const plain = ({ clean, attacks, worstCase }: Evaluation) => ({
      clean,
      worstCase,
      attacks: attacks.map(({ seconds, ...rest }) => rest),
    });
    const whole = await evaluated(model.classifier(), split, { attacks, draws: 6 });
    const parts = await evaluated(model.classifier(), split, { attacks, draws: 6, batchSize: 2 });
    expect(plain(parts)).toEqual(plain(whole));
    const more = await evaluated(model.classifier(), split, { attacks: [parseAttack("fgsm"), ...attacks], draws: 6 });
    expect(plain(more).attacks[1]).toEqual(plain(whole).attacks[0]);
    expect(whole.flags).toEqual([]);
    model.module.dispose();
  });

  it("is flagged when its range is the batch", async () => {
    const model = small.build({ seed: 1, sqa: { range: "batch" } });
    const { flags } = await evaluated(model.classifier(), split, { attacks: [], draws: 1 });
    expect(flags.map(({ kind }) => kind)).toEqual(["batch-dependent"]);
    model.module.dispose();
  });

  it("leaves no tensors behind, and stops between batches when aborted", async () => {
    const model = small.build({ seed: 1, sqa: {} });
    const before = liveTensors().tensors;
    const stop = new AbortController();
    let events = 0;
    const run = async () => {
      for await (const _ of evaluate(model.classifier(), split, { attacks, batchSize: 2, signal: stop.signal })) {
        if (++events === 3) stop.abort();
      }
    };
    await expect(run()).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    expect(events).toBe(3);
    await evaluated(model.classifier(), split, { attacks, draws: 2 });
    expect(liveTensors().tensors).toBeLessThanOrEqual(before);
    model.module.dispose();
  });
});

describe("what cannot be measured", () => {
  const split = grays(10, 120);
  const failing = (model: Classifier, ...attacks: Attack[]) => evaluated(model, split, { attacks });

  it("is an attack that is none", async () => {
    await expect(failing(brightness, "pgd" as unknown as Attack)).rejects.toThrow(
      new TypeError('attacks must hold attacks such as pgd() or parseAttack("pgd"), not pgd'),
    );
  });

  it("is an attack that breaks its promises: the error names it", async () => {
    await expect(
      failing(
        brightness,
        custom("bright", 0.1, (x) => x.add(0.2)),
      ),
    ).rejects.toThrow(/^attack bright left its ball: linf distance 0\.2.*, but its radius is 0\.1/);
    await expect(
      failing(
        brightness,
        custom("wild", undefined, (x) => x.add(0.9)),
      ),
    ).rejects.toThrow(/^attack wild left the pixel range \[0, 1\]/);
    await expect(
      failing(
        brightness,
        custom("small", 1, (x) => x.slice(0, 0, 1)),
      ),
    ).rejects.toThrow("attack small returned float32 [1, 1, 2, 2], not float32 [2, 1, 2, 2]");
    const round = custom("round", 0.15, (x) => x.add(0.1), "l2");
    await expect(failing(brightness, round)).rejects.toThrow(/l2 distance 0\.2/);
  });

  it("is a network whose logits are NaN, or of the wrong shape", async () => {
    const broken = {
      ...brightness,
      logits: (x: Tensor) => x.meanDim([1, 2, 3]).unsqueeze(1).expand([-1, 2]).mul(Number.NaN),
    };
    await expect(failing(broken)).rejects.toThrow(/logits are NaN on clean images/);
    await expect(failing({ ...brightness, classes: 3 })).rejects.toThrow("logits must have shape [2, 3], not [2, 2]");
  });

  it("is an option out of bounds, or images of another size", async () => {
    await expect(evaluated(brightness, split, { attacks: [], draws: 0 })).rejects.toThrow(
      /draws must be an integer in 1 .. 10000, not 0/,
    );
    await expect(evaluated(brightness, split, { attacks: [], batchSize: 1.5 })).rejects.toThrow(/batchSize/);
    await expect(evaluated(brightness, { ...split, count: 1 }, { attacks: [] })).rejects.toThrow(
      /the split's have 8 pixels/,
    );
    await expect(evaluated(brightness, { ...split, labels: Uint8Array.of(0, 2) }, { attacks: [] })).rejects.toThrow(
      /labels must lie in 0 .. 1/,
    );
  });

  it("shows in flags: probabilities, and noise that is not counted", async () => {
    const softmax: Classifier = { ...brightness, logits: (x, noise) => brightness.logits(x, noise).softmax(1) };
    expect((await failing(softmax)).flags.map(({ kind }) => kind)).toEqual(["probabilities"]);
    const hidden: Classifier = { ...coin(0.5), randomized: false };
    const { flags } = await evaluated(hidden, splitOfZeros(16), { attacks: [] });
    expect(flags.map(({ kind }) => kind)).toContain("hidden-randomness");
  });
});
