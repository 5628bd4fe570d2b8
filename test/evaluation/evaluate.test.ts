import { beforeAll, describe, expect, it } from "vitest";
import { fgsm, attacks as known, noise, pgd } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { sqa } from "../../src/defenses/index.js";
import { setThreads } from "../../src/engine/index.js";
import { audit, type Evaluation, evaluate, MemoryStore } from "../../src/evaluation/index.js";
import { small } from "../../src/models/index.js";
import type { Classifier } from "../../src/nn/index.js";
import { liveCount } from "../live-count.js";
import { coin, seedText, splitOfZeros } from "./coin.js";
import { brightness, grays, splitFor } from "./splits.js";

beforeAll(() => setThreads(1));

describe("a coin that answers correctly with probability p", () => {
  const p = 0.7;
  const attacks = [
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
    const alone = known.definitions.filter(({ takes }) => takes === undefined).map(({ name }) => name);
    // A coin has no levels of pixels, which ls-pga asks for.
    expect(alone.filter((name) => !attacks.some((text) => text.startsWith(name)))).toEqual(["ls-pga"]);
    const { clean, draws, worstCases, ...found } = await evaluate(coin(p), splitOfZeros(600), {
      attacks,
      seed: 3,
    });
    expect(draws).toBe(100);
    // Four standard deviations of a mean of 6000 answers.
    const slack = 4 * Math.sqrt((p * (1 - p)) / 6000);
    expect(Math.abs(clean.accuracy - p)).toBeLessThan(slack);
    for (const { attack, robustAccuracy } of found.attacks) {
      expect(Math.abs(robustAccuracy - p), attack).toBeLessThan(slack);
    }
    expect(worstCases.length).toBeGreaterThan(1);
    for (const { accuracy, norm, radius } of worstCases) {
      expect(Math.abs(accuracy - p), `${norm} ${radius}`).toBeLessThan(slack);
    }
  });

  it("has a majority that is nearly always correct, and is nearly never correct in every draw", async () => {
    const { clean } = await evaluate(coin(p), splitOfZeros(600), { attacks: [], draws: 25 });
    // Of 25 answers, P(more than half correct) = 0.983 and P(all correct) = 0.0001.
    expect(clean.votes!.majority.accuracy).toBeGreaterThan(0.96);
    expect(clean.votes!.everyDraw.accuracy).toBeLessThan(0.01);
  });

  it("never answers in a draw that an attack saw", async () => {
    const [attacked, answering] = [coin(p), coin(p)];
    await evaluate(answering, splitOfZeros(8), { attacks, surrogate: attacked });
    expect(attacked.seeds.size).toBeGreaterThan(attacks.length);
    // One look at the answers of each comes before everything.
    const shared = [...attacked.seeds].filter((seed) => answering.seeds.has(seed));
    expect(shared).toEqual([seedText({ low: 0, high: 0 })]);
    expect(answering.seeds).not.toContain(seedText(deriveSeed(0, "evaluation", "attack")));
  });
});

it("has no worst case in a single draw of a randomized model, where the least answer is low by luck", async () => {
  const attacks = [fgsm(), noise({ tries: 2 })];
  const [single, two, clean] = [
    await evaluate(coin(0.7), splitOfZeros(20), { attacks, draws: 1 }),
    await evaluate(coin(0.7), splitOfZeros(20), { attacks, draws: 2 }),
    await evaluate(coin(0.7), splitOfZeros(20), { attacks: [], draws: 1 }),
  ];
  expect([single.worstCases, clean.worstCases]).toEqual([[], []]);
  expect(single.flags.map(({ kind }) => kind)).toContain("no-worst-case");
  expect(two.worstCases).toMatchObject([{ norm: "linf", radius: 0.3, attacks: 2 }]);
  expect([...two.flags, ...clean.flags].map(({ kind }) => kind)).not.toContain("no-worst-case");
});

describe("a deterministic model", () => {
  it("answers once, is judged exactly, and has Wilson's interval", async () => {
    // Grays below 127.5 are correct; a step of 0.2 = 51 bytes upward breaks those above 76.5.
    const attacks = [fgsm({ epsilon: 0.2 }), "pgd(epsilon=0.1, stepSize=0.05, steps=4)"];
    const result = await evaluate(brightness, grays(10, 76, 77, 120, 200), { attacks, draws: 10 });
    expect(result.draws).toBe(1);
    expect(result.clean).toMatchObject({ accuracy: 0.8, perImage: Float32Array.of(1, 1, 1, 1, 0) });
    expect(result.attacks.map((row) => row.robustAccuracy)).toEqual([0.4, 0.6]);
    expect(result.attacks.map(({ passes }) => passes)).toEqual([
      { forward: 1, backward: 1 },
      { forward: 4, backward: 4 },
    ]);
    // statsmodels: proportion_confint(4, 5, method="wilson")
    expect(result.clean.low).toBeCloseTo(0.3755, 4);
    expect(result.clean.high).toBeCloseTo(0.9638, 4);
  });

  it("is not asked for images whose classes have its names in another order", async () => {
    const of = small({ inputShape: [1, 8, 8], classes: 2 });
    const two = splitFor(of, new Uint8Array(128), new Uint8Array(2));
    const named = (...classNames: string[]) => ({ ...two, classNames });
    const model = { ...of.build({ seed: 0 }), classNames: ["cat", "dog"] };
    const options = { attacks: [], draws: 1 };
    await expect(evaluate(model, named("dog", "cat"), options)).rejects.toThrow(
      "test images: class 0 is dog, which is class 1 of model small(inputShape=[1, 8, 8], classes=2): its labels",
    );
    await expect(audit(model, named("dog", "cat"), { epsilon: 0.1 })).rejects.toThrow("class 0 is dog");
    const surrogate = { ...model, classNames: ["dog", "cat"] };
    await expect(evaluate(model, named("cat", "dog"), { ...options, surrogate })).rejects.toThrow(
      "surrogate: class 0 is dog, which is class 1 of",
    );
    // Other names may mean the same classes, and numbers are no names.
    for (const names of [
      ["cat", "dog"],
      ["kitty", "doggy"],
      ["0", "1"],
    ])
      expect((await evaluate(model, named(...names), options)).clean.accuracy).toBeGreaterThanOrEqual(0);
  });

  it("is shown the images that were made on a surrogate", async () => {
    const inverted: Classifier = {
      ...brightness,
      logits: (images, noise) => brightness.logits(images, noise).neg(),
    };
    const given = { attacks: [fgsm({ epsilon: 0.2 })], surrogate: inverted };
    const { attacks: rows } = await evaluate(brightness, grays(10, 120, 150), given);
    // The surrogate's gradient darkens the images, which helps the model.
    expect(rows[0]!.perImage).toEqual(Float32Array.of(1, 1, 1));
    const named = { ...brightness, surrogates: { inverted } };
    const byName = await evaluate(named, grays(10, 120, 150), { ...given, surrogate: "inverted" });
    expect(byName.attacks[0]!.perImage).toEqual(rows[0]!.perImage);
    await expect(evaluate(named, grays(10), { attacks: [], surrogate: "mean" })).rejects.toThrow(
      'surrogate: model classifier has no "mean"; it has inverted',
    );
  });
});

describe("worst cases", () => {
  /** Brightness, whose attack in l2 by d moves each of four pixels by d / 2. */
  const split = grays(10, 60, 80, 100, 120);

  it("are of one norm and radius each, over attacks of a radius as small", async () => {
    const attacks = [
      fgsm({ epsilon: 0.2 }),
      fgsm({ epsilon: 0.1 }),
      pgd({ norm: "l2", epsilon: 0.5, stepSize: 0.5, steps: 1, randomStart: false }),
      "rotation-translation(angles=2, shifts=2)",
    ];
    const { worstCases } = await evaluate(brightness, split, { attacks });
    // 127.5 - 51 = 76.5, 127.5 - 25.5 = 102; an l2 step of 0.5 moves a pixel by 0.25: 127.5 - 63.75 = 63.75.
    expect(
      worstCases.map(({ norm, radius, attacks, accuracy }) => [norm, radius, attacks, accuracy]),
    ).toEqual([
      ["l2", 0.5, 1, 0.4],
      ["linf", 0.1, 1, 0.8],
      ["linf", 0.2, 2, 0.4],
    ]);
  });

  it("count minimized perturbations where they lie within the radius, whose lengths are told", async () => {
    const attacks = [
      "minimal-epsilon(fgsm(), maximum=1, rounds=12)",
      "fmn(steps=200)",
      fgsm({ epsilon: 0.05 }),
    ];
    const minimal = "fab(steps=100)";
    const { attacks: rows, worstCases } = await evaluate(brightness, split, {
      attacks: [minimal, ...attacks],
    });
    // To the boundary at 127.5 of 255, in bytes: 117.5, 67.5, 47.5, 27.5 and 7.5; the median is 47.5.
    expect(rows[0]!.distances).toMatchObject({ norm: "linf", images: 5 });
    expect(rows[0]!.distances!.median * 255).toBeCloseTo(47.5, 0);
    expect(rows[0]!.distances!.mean * 255).toBeCloseTo(53.5, 0);
    expect(rows[3]!).not.toHaveProperty("distances");
    // The image at a distance of 7.5 bytes, which is 0.0294.
    expect(worstCases.find(({ radius }) => radius === 0.05)).toMatchObject({ attacks: 3, accuracy: 0.8 });
  });
});

describe("a model with SQA", () => {
  const split = splitFor(
    { inputShape: [1, 28, 28], classes: 10 },
    Uint8Array.from({ length: 7 * 784 }, (_, i) => (i * i) % 251),
    Uint8Array.of(0, 1, 2, 3, 4, 5, 6),
  );
  const attacks = [pgd({ epsilon: 0.1, steps: 3 })];
  const plain = ({ clean, attacks, worstCases }: Evaluation) => ({
    clean,
    worstCases,
    attacks: attacks.map(({ seconds, ...rest }) => rest),
  });

  it("is judged alike whatever the batch size and the order of the attacks", async () => {
    const model = small().build({ seed: 1, defenses: [sqa()] });
    const whole = await evaluate(model, split, { attacks, draws: 6 });
    const parts = await evaluate(model, split, { attacks, draws: 6, batchSize: 2 });
    expect(plain(parts)).toEqual(plain(whole));
    const more = await evaluate(model, split, { attacks: [fgsm(), ...attacks], draws: 6 });
    expect(plain(more).attacks[1]).toEqual(plain(whole).attacks[0]);
    expect(whole.flags).toEqual([]);
    model.module.dispose();
  });

  it("is the same as an architecture, a model or its classifier", async () => {
    const model = small().build({ seed: 0 });
    const [first, ...others] = [
      await evaluate(small(), split, { attacks }),
      await evaluate(model, split, { attacks }),
      await evaluate(model.classifier(), split, { attacks }),
    ].map(plain);
    for (const other of others) expect(other).toEqual(first);
  });

  it("is flagged when its range is the batch", async () => {
    const model = small().build({ seed: 1, defenses: [sqa({ range: "batch" })] });
    const { flags } = await evaluate(model, split, { attacks: [], draws: 1 });
    expect(flags.map(({ kind }) => kind)).toEqual(["batch-dependent"]);
    model.module.dispose();
  });

  it("leaves no tensors behind, and stops between batches when aborted", async () => {
    const model = small().build({ seed: 1, defenses: [sqa()] });
    const before = liveCount();
    const stop = new AbortController();
    const work = evaluate(model, split, { attacks, batchSize: 2, signal: stop.signal });
    let events = 0;
    for await (const _ of work) if (++events === 3) stop.abort();
    expect(events).toBe(3);
    await expect(work).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    await evaluate(model, split, { attacks, draws: 2 });
    expect(liveCount()).toBe(before);
    model.module.dispose();
  });

  it("continues from a store, to the same numbers, and does nothing twice", async () => {
    const model = small().build({ seed: 1, defenses: [sqa()] });
    const whole = await evaluate(model, split, { attacks, draws: 4, batchSize: 3 });
    let written = 0;
    class CountingStore extends MemoryStore {
      override write(...batch: Parameters<MemoryStore["write"]>): void {
        written++;
        super.write(...batch);
      }
    }
    const given = { attacks, draws: 4, batchSize: 3, store: new CountingStore() };
    for await (const event of evaluate(model, split, given)) {
      if (event.type === "progress" && event.attack !== "clean" && event.done > 0) break;
    }
    expect(written).toBe(4);
    const resumed = await evaluate(model, split, given);
    expect(written).toBe(6);
    expect(plain(resumed)).toEqual(plain(whole));
    model.module.dispose();
  });

  it("examines no more images together than a batch has, to the same flags", async () => {
    const sizes: number[] = [];
    const blind: Classifier = {
      ...brightness,
      logits(images, noise) {
        sizes.push(images.shape[0]!);
        return brightness.logits(images.detach().mul(0), noise).abs();
      },
    };
    const attacks = ["pgd(epsilon=0.1, steps=2)"];
    const images = grays(...Array.from({ length: 120 }, (_, i) => 2 * i));
    const { flags } = await evaluate(blind, images, { attacks, batchSize: 7 });
    expect(Math.max(...sizes)).toBe(7);
    const messages = flags.map(({ kind, message }) => `${kind}: ${message}`).join("\n");
    expect(messages).toMatch(/equal-logits: .* 16 of 16/);
    expect(messages).toMatch(/blocked-gradients: .* 100 of 100/);
    expect(flags).toEqual((await evaluate(blind, images, { attacks, batchSize: 200 })).flags);
  });
});
