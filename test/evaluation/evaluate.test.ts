import { beforeAll, describe, expect, it } from "vitest";
import { attacks as known, parseAttack } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { liveTensors, setThreads } from "../../src/engine/index.js";
import { type Evaluation, evaluate } from "../../src/evaluation/index.js";
import { small } from "../../src/models/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { coin, seedText, splitOfZeros } from "./coin.js";
import { brightness, evaluated, grays } from "./evaluated.js";

beforeAll(() => setThreads(1));

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
    expect(draws).toBe(100);
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
