import { describe, expect, it } from "vitest";
import * as z from "zod";
import { apgd, defineAttack, fgsm, fmn, pgd, within } from "../../src/attacks/index.js";
import { TensorSplit } from "../../src/datasets/index.js";
import type { Classifier } from "../../src/nn/index.js";
import {
  clean,
  hasFailed,
  MemoryStore,
  runTrials,
  type TrialEvent,
  type TrialOptions,
  type TrialOutcome,
  type TrialResult,
  trialOn,
  trialSeeds,
  whiteBox,
} from "../../src/trials/index.js";
import { brightness, grays } from "../evaluation/splits.js";

const data = new TensorSplit(grays(10, 60, 80, 100, 120));
const given: TrialOptions = {
  players: { model: brightness },
  draws: 1,
  seeds: trialSeeds(0, "test"),
  batchSize: 2,
};

/** Attack that fails from an image's gray on. */
const brittle = defineAttack("brittle", {
  summary: "fails where a pixel is above a gray",
  options: z.strictObject({ above: z.number().default(0.35) }),
  traits: () => ({ norm: "linf", radius: 1, usesGradients: true, randomized: false }),
  run({ above }, _, images) {
    if (images.amax().item() > above) throw new Error("too bright");
    return images.clone();
  },
});

async function finished(steps: ReturnType<typeof runTrials>) {
  const events: TrialEvent[] = [];
  let step = await steps.next();
  for (; step.done !== true; step = await steps.next()) events.push(step.value);
  return { events, outcomes: step.value };
}

const textOf = (outcome: TrialOutcome) =>
  hasFailed(outcome)
    ? `${outcome.trial.id}: ${outcome.error.message}`
    : `${outcome.trial.id}: ${[...outcome.answers.correct].join("")}`;

describe("trials", () => {
  it("run in turn, and tell how far they are", async () => {
    const { events, outcomes } = await finished(
      runTrials([clean, trialOn(fgsm({ epsilon: 0.2 }))], data, given),
    );
    expect(outcomes!.map(textOf)).toEqual(["clean: 11111", "fgsm(epsilon=0.2): 11000"]);
    expect(events.map((event) => (event.type === "progress" ? event.done : event.type))).toEqual([
      ...[0, 2, 4, 5, "trial"],
      ...[0, 2, 4, 5, "trial"],
    ]);
  });

  it("of images that a stopped trial found tell that it was stopped", async () => {
    const broken: Classifier = {
      ...brightness,
      // The slope of the root at 0 is infinite, and times 0 it is NaN.
      logits: (images, noise) =>
        brightness.logits(images.add(images.sub(images.detach()).sqrt().mul(0)), noise),
    };
    const attack = fmn({ steps: 3 });
    const free = trialOn(attack);
    const near = whiteBox(within(attack, { epsilon: 0.2 }), { from: free });
    const options = { ...given, players: { model: broken } };
    const alone = (await finished(runTrials([{ ...near, from: undefined }], data, options))).outcomes!;
    const taken = (await finished(runTrials([free, near], data, options))).outcomes!;
    const stopsOf = (outcome: TrialOutcome) => (outcome as TrialResult).stops;
    expect(stopsOf(alone[0]!)).toHaveLength(3);
    expect(taken.map(stopsOf)).toEqual([stopsOf(alone[0]!), stopsOf(alone[0]!)]);
  });

  it("that fail end with those that continue them, and the others go on", async () => {
    const first = whiteBox(brittle());
    const trials = [clean, first, whiteBox(apgd(), { after: first }), trialOn(fgsm({ epsilon: 0.2 }))];
    const { events, outcomes } = await finished(runTrials(trials, data, given));
    expect(outcomes!.map(textOf)).toEqual([
      "clean: 11111",
      "brittle: too bright",
      "apgd after brittle: too bright",
      "fgsm(epsilon=0.2): 11000",
    ]);
    expect(events.filter(({ type }) => type === "trial")).toHaveLength(4);
  });

  it("that fail are not kept, so that they run again", async () => {
    const store = new MemoryStore();
    const trials = [clean, whiteBox(brittle())];
    const { events: once } = await finished(runTrials(trials, data, { ...given, store }));
    const { events: again } = await finished(runTrials(trials, data, { ...given, store }));
    const kept = (events: TrialEvent[]) =>
      events.filter((event) => event.type === "progress" && event.kept).length;
    // Three batches of clean images, and the first of the attack.
    expect([kept(once), kept(again)]).toEqual([0, 4]);
  });

  it("that continue another start from its images, whatever batch they are in", async () => {
    const first = whiteBox(pgd({ epsilon: 0.1, stepSize: 0.05, steps: 4 }));
    const second = whiteBox(fgsm({ epsilon: 0.2 }), { after: first });
    const { outcomes } = await finished(runTrials([first, second], data, given));
    // PGD turns the last image but one of those that FGSM turns; it is counted as it was left.
    expect(outcomes!.map(textOf)).toEqual([`${first.id}: 11110`, `${second.id}: 11000`]);
    const [, result] = outcomes as { passes: { backward: number } }[] & readonly TrialOutcome[];
    expect(result!.passes.backward).toBeCloseTo(4 / 5, 12);
    await expect(finished(runTrials([second, first], data, given))).rejects.toThrow(/must run before/);
  });

  it("end where the signal is aborted, between batches and within one", async () => {
    const stop = new AbortController();
    const steps = runTrials([clean, trialOn(fgsm())], data, { ...given, signal: stop.signal });
    for (let i = 0; i < 4; i++) await steps.next();
    stop.abort();
    let step = await steps.next();
    while (step.done !== true) step = await steps.next();
    expect(step.value).toBeUndefined();
  });

  it("throw the error of the clean images", async () => {
    const broken = { ...brightness, classes: 3 };
    await expect(
      finished(runTrials([clean], data, { ...given, players: { model: broken } })),
    ).rejects.toThrow("the logits of the classifier must have shape [2, 3], not [2, 2]");
  });
});
