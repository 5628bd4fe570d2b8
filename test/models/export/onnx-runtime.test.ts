import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { noGrad, scope, type Tensor } from "../../../src/engine/index.js";
import { exportOnnx, type Model } from "../../../src/models/index.js";
import { bareDefenses, channelsOf, fixedDefenses, moments, randomDefenses, rowsOf } from "./defended.js";
import { architectures, bareQuantizer, builtModel, everyLayer, imagesFor, noiseOf } from "./models.js";

/** Part of onnxruntime-node that is used here; it brings types of its own, but is no dependency. */
interface Runtime {
  readonly InferenceSession: {
    create(
      file: string,
      options: object,
    ): Promise<{
      run(feeds: object): Promise<Readonly<Record<string, { readonly data: Float32Array }>>>;
      release(): Promise<void>;
    }>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, shape: readonly number[]) => object;
}

/** onnxruntime-node, installed beside this package or in the folder that the environment names. */
function loadedRuntime(): Runtime | undefined {
  const named = process.env.SQA_ONNXRUNTIME_NODE;
  const require = createRequire(import.meta.url);
  if (named !== undefined) return require(resolve(named)) as Runtime;
  try {
    return require("onnxruntime-node") as Runtime;
  } catch {
    process.stderr.write(
      "no onnxruntime-node: the tests of exported files in it are skipped (npm install --ignore-scripts " +
        "onnxruntime-node in a folder, and SQA_ONNXRUNTIME_NODE=FOLDER/node_modules/onnxruntime-node)\n",
    );
    return undefined;
  }
}

const runtime = loadedRuntime();
const folder = mkdtempSync(join(tmpdir(), "sqa-onnx-runtime-"));
const file = join(folder, "model.onnx");
/** Largest differences of all files: in parts of the largest logit, and of means in standard errors. */
const largest = { difference: 0, score: 0 };
afterAll(() => {
  rmSync(folder, { recursive: true });
  if (runtime === undefined) return;
  const { difference, score } = largest;
  process.stdout.write(
    `exported files in onnxruntime-node: largest difference ${difference.toExponential(1)} of the largest logit, ` +
      `of means over draws ${score.toFixed(1)} standard errors\n`,
  );
});

/** Logits that the runtime gives of a model's file, run after run. */
async function runsOf(model: Model, noiseFree: boolean, images: Tensor, runs = 1): Promise<number[][]> {
  exportOnnx(model, file, { noiseFree, replace: true });
  const { InferenceSession, Tensor } = runtime!;
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 };
  const session = await InferenceSession.create(file, options);
  const given = new Tensor("float32", images.toArray() as Float32Array, images.shape);
  const found: number[][] = [];
  for (let run = 0; run < runs; run++)
    found.push(...rowsOf((await session.run({ images: given })).logits!.data, model.classes));
  await session.release();
  return found;
}

const ownLogits = (model: Model, images: Tensor, noiseFree: boolean, draw = 0): number[][] =>
  scope(() =>
    noGrad(() => {
      const noise = noiseOf(images.shape[0]!, draw);
      return rowsOf(model.classifier({ noiseFree }).logits(images, noise).toNumbers(), model.classes);
    }),
  );

/** Largest difference of the model's logits and those of its file, in parts of the largest. */
async function difference(model: Model, noiseFree: boolean): Promise<number> {
  const images = imagesFor(model, 2);
  const wanted = ownLogits(model, images, noiseFree).flat();
  const found = (await runsOf(model, noiseFree, images)).flat();
  model.module.dispose();
  expect(found).toHaveLength(wanted.length);
  const size = Math.max(...wanted.map(Math.abs));
  const most = Math.max(...wanted.map((value, i) => Math.abs(value - found[i]!))) / size;
  largest.difference = Math.max(largest.difference, most);
  return most;
}

/** Residual networks of many blocks, whose images take long: 50 draws. */
const isDeep = (name: string) => /resnet(34|50|101)/.test(name);

// Without the runtime a few tests stand for all, and are skipped.
const tried = runtime === undefined ? [] : architectures;

describe.skipIf(runtime === undefined)("onnxruntime-node", { timeout: 300_000 }, () => {
  describe.each(tried)("on %s", (name) => {
    it.each(fixedDefenses(folder, channelsOf(name)))("gives the logits with $title", async ({ used }) => {
      expect(await difference(builtModel(name, used), false)).toBeLessThan(1e-5);
    });

    it.each(randomDefenses)("gives the noise-free logits with $title", async ({ used }) => {
      expect(await difference(builtModel(name, used), true)).toBeLessThan(1e-5);
    });

    it.each(randomDefenses)("has the mean over draws with $title", async ({ used, draws }) => {
      const model = builtModel(name, used);
      const [runs, count] = draws!.map((many) => Math.min(many, isDeep(name) ? 50 : many)) as [
        number,
        number,
      ];
      const images = imagesFor(model, 1)
        .expand([count, ...model.inputShape])
        .contiguous();
      const own = Array.from({ length: runs }, (_, draw) => ownLogits(model, images, false, draw)).flat();
      const found = await runsOf(model, false, images, runs);
      model.module.dispose();
      expect(new Set(found.map(String)).size).toBeGreaterThan(1);
      const total = runs * count;
      const [wanted, read] = [moments(own), moments(found)];
      const scores = wanted.map(({ mean, variance }, k) => {
        const other = read[k]!;
        return Math.abs(mean - other.mean) / Math.sqrt((variance + other.variance) / total + 1e-12);
      });
      largest.score = Math.max(largest.score, ...scores);
      expect(Math.max(...scores)).toBeLessThan(6);
      if (total < 200) return;
      // Logits of drawn weights have long tails: variances of 200 draws differ by half.
      const ratios = wanted.map(({ variance }, k) => read[k]!.variance / variance);
      expect(Math.max(...ratios.map((ratio) => Math.abs(Math.log(ratio))))).toBeLessThan(Math.log(3));
    });
  });

  it.each(bareDefenses)("draws as this package does: $text", async ({ text, expectDraws }) => {
    const model = bareQuantizer(text);
    const pixels = imagesFor(model, 1);
    const images = pixels.expand([4000, ...model.inputShape]).contiguous();
    const found = await runsOf(model, false, images);
    expectDraws(found, ownLogits(model, images, false), pixels.toNumbers());
  });

  it("gives the logits of every layer", async () => {
    expect(await difference(everyLayer(), false)).toBeLessThan(1e-5);
  });
});
