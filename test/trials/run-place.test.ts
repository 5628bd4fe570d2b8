import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fgsm, pgd } from "../../src/attacks/index.js";
import { TensorSplit } from "../../src/datasets/index.js";
import {
  type BatchRecord,
  clean,
  FolderStore,
  keptBatches,
  type TrialOptions,
  trialSeeds,
  whiteBox,
} from "../../src/trials/index.js";
import { expectedPace, runPlace, sliceSize } from "../../src/trials/run-place.js";
import { brightness, grays } from "../evaluation/splits.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-slices-"));
afterAll(() => rmSync(folder, { recursive: true }));

const grayLevels = Array.from({ length: 60 }, (_, i) => 40 + 2 * i);
const data = new TensorSplit(grays(...grayLevels));
const plan = { first: 0, count: 60, draws: 1, shape: brightness.inputShape };
const given: TrialOptions = {
  players: { model: brightness },
  draws: 1,
  seeds: trialSeeds(0, "test"),
  batchSize: 60,
};
const attack = pgd({ epsilon: 0.1, stepSize: 0.05, steps: 4 });
const trial = whiteBox(attack);
const newStore = () => new FolderStore(mkdtempSync(join(folder, "store-")));
const filesIn = ({ folder: path }: FolderStore) =>
  readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.split("/").at(-1));

/** Seconds that an image is expected to take, for a batch at once and for slices of 25 images. */
const [quick, slow] = [0, 60];

/** Runs the batch in slices, and stops after some of them. */
async function run(store: FolderStore, pace: number, { stopAfter = 99, of = trial, after = trial } = {}) {
  const stop = new AbortController();
  const record = of === trial ? undefined : store.read(after, plan)!;
  const before = record && { trial: after, place: plan, record };
  const steps = runPlace(of, plan, data, { ...given, store, pace, before, signal: stop.signal });
  const done: number[] = [];
  let step = await steps.next();
  for (; step.done !== true; step = await steps.next()) {
    done.push(step.value);
    if (done.length === stopAfter) stop.abort();
  }
  return { done, end: step.value as { readonly record: BatchRecord } | undefined };
}

const answersOf = ({ even, lengths, passes }: BatchRecord) => ({ even, lengths, passes });

describe("a batch that takes long", () => {
  it("is attacked in slices, and kept as one batch with the same numbers and images", async () => {
    const [whole, sliced] = [newStore(), newStore()];
    const { end: once, done: none } = await run(whole, quick);
    const { end: parts, done } = await run(sliced, slow);
    // By the first slice's own pace the others are quick.
    expect([none, done]).toEqual([[], [25]]);
    expect(answersOf(parts!.record)).toEqual(answersOf(once!.record));
    expect(filesIn(sliced)).toEqual(["00000-00059.json"]);
    expect(sliced.images(trial, plan).toNumbers()).toEqual(whole.images(trial, plan).toNumbers());
    const [kept] = keptBatches([trial], data, { ...given, store: sliced }).get(trial)!;
    expect(kept).toEqual(parts!.record);
  });

  it("goes on behind the last slice where it was stopped, whatever the pace is now", async () => {
    const store = newStore();
    const stopped = await run(store, slow, { stopAfter: 1 });
    expect(stopped.end).toBeUndefined();
    expect(filesIn(store)).toEqual(["00000-00024.json"]);
    const resumed = await run(store, quick);
    expect(resumed.done).toEqual([25]);
    expect(answersOf(resumed.end!.record)).toEqual(answersOf((await run(newStore(), quick)).end!.record));
    expect(filesIn(store)).toEqual(["00000-00059.json"]);
  });

  it("continues the slice of the trial before", async () => {
    const [whole, sliced] = [newStore(), newStore()];
    const second = whiteBox(fgsm({ epsilon: 0.1 }), { after: trial });
    const ends: BatchRecord[] = [];
    for (const [store, pace] of [
      [whole, quick],
      [sliced, slow],
    ] as const) {
      await run(store, quick);
      ends.push((await run(store, pace, { of: second })).end!.record);
    }
    expect(answersOf(ends[1]!)).toEqual(answersOf(ends[0]!));
  });
});

/** Clean images of a model that takes so many seconds a pass. */
function paced(pass: number): BatchRecord {
  const [count, draws] = [100, 4];
  const zeros = Array<number>(count).fill(0);
  const votes = { majority: zeros, evenVote: zeros, oddVote: zeros };
  const passes = { forward: count * draws, backward: 0 };
  const seconds = pass * count * draws;
  return { count, draws, even: zeros, odd: zeros, ...votes, lengths: zeros, norm: "linf", passes, seconds };
}

describe("a slice", () => {
  it.each([
    [0.1, 6000],
    [6, 100],
    [500, 25],
  ])("takes ten minutes, or 25 images: at %s s an image it has %i", (pace, size) => {
    expect(sliceSize(pace)).toBe(size);
  });

  it("goes by the batches before, and in the first one by the longest attack", () => {
    expect(expectedPace(trial, [], [paced(0.001)])).toBeCloseTo(50, 10);
    expect(expectedPace(trial, [paced(0.5)], [paced(0.001)])).toBeCloseTo(2, 10);
  });

  it("is the whole batch of clean images, of found ones, and before a pace is known", () => {
    const batches = [paced(1)];
    expect(expectedPace(clean, [], batches)).toBe(0);
    expect(expectedPace(whiteBox(attack, { from: trial }), [], batches)).toBe(0);
    expect(expectedPace(trial, [])).toBe(0);
    expect(sliceSize(0)).toBe(Number.POSITIVE_INFINITY);
  });
});
