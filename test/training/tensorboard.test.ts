import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "fast-png";
import { afterAll, expect, test } from "vitest";
import { type TrainConfigInput, train } from "../../src/training/index.js";
import { readEventFile } from "../files/event-records.js";
import { digits } from "./digits-folder.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-tb-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Ten steps in two epochs. */
const config: TrainConfigInput = {
  model: "small",
  data: digits(folder, { train: 400, test: 20 }),
  epochs: 2,
  limit: 60,
  heldOut: 10,
  batchSize: 10,
  method: "fgsm(epsilon=0.1)",
  validationAttacks: ["fgsm(epsilon=0.1)", "pgd(epsilon=0.1, stepSize=0.05, steps=2)"],
};

/** Files of a run's log, in the order of writing. */
const filesOf = (run: string) => {
  const numberOf = (name: string) => Number(name.split(".").at(-1));
  return readdirSync(join(run, "tb"))
    .sort((a, b) => numberOf(a) - numberOf(b))
    .map((name) => readEventFile(readFileSync(join(run, "tb", name))));
};

test("a run leaves a log for TensorBoard, which tells what its events tell", {
  timeout: 120_000,
}, async () => {
  const runs = join(folder, "runs");
  const { folder: run, result } = await train(config, { runs, threads: 1 });
  const [events, ...others] = filesOf(run);
  expect(others).toEqual([]);
  const values = events!.flatMap((event) => event.values.map((value) => ({ step: event.step, ...value })));
  const of = (tag: string) => values.filter((value) => value.tag === tag);
  expect(of("training/loss").map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(of("accuracy/PGD-2, eps 0.1").at(-1)!.scalar).toBeCloseTo(result.last.validation[1]!.accuracy, 6);
  expect(of("accuracy/clean").map(({ step }) => step)).toEqual([5, 10]);
  expect(
    JSON.parse(of("configuration")[0]!.text!.replaceAll("```json", "").replaceAll("```", "")),
  ).toMatchObject({
    method: "fgsm(epsilon=0.1)",
  });
  const images = values.filter(({ image }) => image !== undefined);
  expect(images).toHaveLength(8);
  // Clean on the left, within the radius of it on the right.
  const { width, height, data } = decode(images[0]!.image!.png);
  expect([width, height, images[0]!.image!.width]).toEqual([56, 28, 56]);
  const distances = Array.from({ length: 28 * 28 }, (_, i) => {
    const [row, column] = [Math.floor(i / 28), i % 28];
    return Math.abs(data[56 * row + column]! - data[56 * row + 28 + column]!);
  });
  expect(Math.max(...distances)).toBeGreaterThan(0);
  expect(Math.max(...distances)).toBeLessThanOrEqual(Math.ceil(0.1 * 255));
});

test("a run that goes on begins a file of its own, at its step; weights are those of one without", {
  timeout: 120_000,
}, async () => {
  const stopped = join(folder, "stopped");
  const stop = new AbortController();
  let run = "";
  for await (const event of train(config, { runs: stopped, threads: 1, signal: stop.signal })) {
    if (event.type === "start") run = event.run;
    if (event.type === "step" && event.step === 7) stop.abort();
  }
  const torn = join(run, "tb", readdirSync(join(run, "tb"))[0]!);
  const before = readFileSync(torn);
  const whole = await train(config, { runs: stopped, threads: 1 });
  expect(readFileSync(torn)).toEqual(before);
  const [first, second] = filesOf(run);
  const steps = (events: typeof first) =>
    events!.flatMap(({ step, values }) => (values.some(({ tag }) => tag === "training/loss") ? [step] : []));
  expect([steps(first), steps(second)]).toEqual([
    [1, 2, 3, 4, 5, 6, 7],
    [8, 9, 10],
  ]);
  expect(second![1]).toMatchObject({ step: 8, started: true });
  const without = await train(config, { runs: join(folder, "without"), threads: 1, tensorboard: false });
  expect(existsSync(join(without.folder, "tb"))).toBe(false);
  expect(readFileSync(without.weights)).toEqual(readFileSync(whole.weights));
});
