import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decode } from "fast-png";
import { afterAll, expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange, scope, tensor } from "../../src/engine/index.js";
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
  expect(images).toHaveLength(16);
  // Clean, its change and under attack, as the run's own pictures of its last epoch.
  expect([images[0]!.image!.width, images[0]!.image!.height]).toEqual([84, 28]);
  const told = JSON.parse(readFileSync(join(run, "images", "images.json"), "utf8")) as Shown;
  const last = images.slice(-8).map(({ image }) => image!.png);
  expect(told.images.map(({ file }) => readFileSync(join(run, "images", file)))).toEqual(last);
});

const python = process.env.PYTHON ?? "python3";
const reader = "from tensorboard.backend.event_processing import event_accumulator";
const noTensorBoard =
  spawnSync(python, ["-c", reader], { timeout: 60_000 }).status === 0
    ? undefined
    : `${python} has no tensorboard (pip install tensorboard): its own reader is not tried`;
if (noTensorBoard !== undefined) process.stderr.write(`${noTensorBoard}\n`);

/** Content of a log as `tensorboard_events.py` prints it. */
interface TensorBoardContent {
  readonly scalars: Readonly<Record<string, readonly (readonly [step: number, value: number])[]>>;
  readonly images: Readonly<
    Record<
      string,
      readonly {
        readonly step: number;
        readonly width: number;
        readonly height: number;
        readonly png: string;
      }[]
    >
  >;
  readonly texts: Readonly<Record<string, readonly string[]>>;
}

/** Log of a run as TensorBoard's own reader reads it. */
function readByTensorBoard(run: string): TensorBoardContent {
  const script = fileURLToPath(new URL("tensorboard_events.py", import.meta.url));
  const { status, stdout, stderr } = spawnSync(python, [script, join(run, "tb")], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

test.skipIf(noTensorBoard !== undefined)(
  noTensorBoard ?? "TensorBoard's own reader reads a run's scalars, images and text",
  { timeout: 120_000 },
  async () => {
    const losses: [number, number][] = [];
    const work = train(config, { runs: join(folder, "by-tensorboard"), threads: 1 });
    for await (const event of work)
      if (event.type === "step") losses.push([event.step, Math.fround(event.loss)]);
    const { folder: run, result } = await work;
    const { scalars, images, texts } = readByTensorBoard(run);
    expect(scalars["training/loss"]).toEqual(losses);
    expect(scalars["training/learning rate"]).toHaveLength(10);
    expect(scalars["accuracy/clean"]!.at(-1)).toEqual([10, Math.fround(result.last.clean)]);
    const { accuracy } = result.last.validation[1]!;
    expect(scalars["accuracy/PGD-2, eps 0.1"]!.at(-1)).toEqual([10, Math.fround(accuracy)]);
    const configuration = texts.configuration![0]!.replace(/^```json\n|\n```$/g, "");
    expect(JSON.parse(configuration)).toMatchObject({ method: "fgsm(epsilon=0.1)", epochs: 2 });
    const told = JSON.parse(readFileSync(join(run, "images", "images.json"), "utf8")) as Shown;
    expect(Object.keys(images)).toHaveLength(8);
    for (const { file, position } of told.images) {
      const shown = images[`validation images: clean, change, under attack/${position}`]!;
      expect(shown.map(({ step, width, height }) => [step, width, height])).toEqual([
        [5, 84, 28],
        [10, 84, 28],
      ]);
      expect(Buffer.from(shown[1]!.png, "base64")).toEqual(readFileSync(join(run, "images", file)));
    }
  },
);

/** Facts that a run keeps of its pictures. */
interface Shown {
  readonly epoch: number;
  readonly step: number;
  readonly attack: string;
  readonly images: readonly {
    readonly file: string;
    readonly position: number;
    readonly label: string;
    readonly predicted: string;
    readonly largestChange: number;
  }[];
}

test("a run keeps pictures of its last epoch's validation images, as the model itself answers them", {
  timeout: 120_000,
}, async () => {
  const runs = join(folder, "pictures");
  const { folder: run, result, model } = await train(config, { runs, threads: 1 });
  const told = JSON.parse(readFileSync(join(run, "images", "images.json"), "utf8")) as Shown;
  expect(told).toMatchObject({ epoch: 2, step: 10, attack: result.last.validation[1]!.attack });
  expect(told.images).toHaveLength(8);
  const files = readdirSync(join(run, "images")).sort();
  expect(files).toEqual([...told.images.map(({ file }) => file), "images.json"].sort());
  const { train: split } = config.data as ReturnType<typeof digits>;
  for (const { file, position, label, predicted, largestChange } of told.images) {
    const { width, data } = decode(readFileSync(join(run, "images", file)));
    const part = (place: number) =>
      Float32Array.from({ length: 784 }, (_, i) => {
        return data[width * Math.floor(i / 28) + 28 * place + (i % 28)]! / 255;
      });
    const [clean, change, adversarial] = [0, 1, 2].map(part) as [Float32Array, Float32Array, Float32Array];
    const stored = split.images.subarray(784 * position, 784 * (position + 1));
    expect(clean).toEqual(Float32Array.from(stored, (level) => level / 255));
    expect(label).toBe(String(split.labels[position]));
    expect(largestChange).toBeGreaterThan(0);
    expect(largestChange).toBeLessThanOrEqual(0.1 + 1e-6);
    for (const [i, pixel] of adversarial.entries()) {
      expect(Math.abs(pixel - clean[i]!)).toBeLessThanOrEqual(largestChange + 1 / 255);
      const amplified = 0.5 + (pixel - clean[i]!) / (2 * largestChange);
      expect(Math.abs(change[i]! - amplified)).toBeLessThan(0.03);
    }
    // Rounded to gray levels the picture is not quite the attacked image; the answer is the same but for ties.
    const answer = scope(() => {
      const images = tensor(adversarial, [1, 1, 28, 28]);
      const noise = { seed: deriveSeed(1, "test"), draw: 0, imageIds: imageIdRange(0, 1) };
      const logits = model.classifier().logits(images, noise);
      return [...(logits.toArray() as Float32Array)];
    });
    expect(answer[Number(predicted)]!).toBeGreaterThan(Math.max(...answer) - 0.1);
  }
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
