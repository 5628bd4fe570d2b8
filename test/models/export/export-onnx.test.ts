import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import * as all from "../../../src/defenses/all.js";
import { defenses, densityPart, pixelDefend } from "../../../src/defenses/index.js";
import { noGrad, scope, type Tensor, tensor } from "../../../src/engine/index.js";
import { readOnnx } from "../../../src/files/index.js";
import { exportOnnx, type Model, modelFromFile, modelOf, small } from "../../../src/models/index.js";
import { Conv2d, Flatten, Linear, Module, ReLU, Sequential } from "../../../src/nn/index.js";
import { writePart } from "../../defenses/parts.js";
import { loadOnnx } from "../exported/onnx/fixtures.js";
import { bareDefenses, channelsOf, fixedDefenses, moments, randomDefenses, rowsOf } from "./defended.js";
import {
  architectures,
  bareQuantizer,
  bareWeights,
  builtModel,
  everyLayer,
  imagesFor,
  noiseOf,
} from "./models.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-export-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "model.onnx");

/** The model that the written file is, read back by this package. */
async function readBack(model: Model, noiseFree = false): Promise<Model> {
  exportOnnx(model, file, { noiseFree, replace: true });
  return (await modelFromFile(file)).build({ seed: 0 });
}

const logitsOf = (model: Model, images: Tensor, noiseFree = false, draw = 0) =>
  scope(() =>
    noGrad(() => model.classifier({ noiseFree }).logits(images, noiseOf(images.shape[0]!, draw)).toNumbers()),
  );

/** Largest difference of what a model and its file answer, in parts of the largest logit. */
async function difference(model: Model, noiseFree = false, count = 3): Promise<number> {
  const again = await readBack(model, noiseFree);
  const images = imagesFor(model, count);
  const wanted = logitsOf(model, images, noiseFree);
  const found = logitsOf(again, images);
  for (const { module } of [model, again]) module.dispose();
  expect(found).toHaveLength(wanted.length);
  const largest = Math.max(...wanted.map(Math.abs));
  return Math.max(...wanted.map((value, i) => Math.abs(value - found[i]!))) / largest;
}

it("has images of a width of 4 in the order of its convolutions, not with the channels last", async () => {
  const layers = {
    conv: new Conv2d(2, 3, 3, { seed: 1, padding: 1 }),
    flatten: new Flatten(),
    fc: new Linear(96, 3, { seed: 2 }),
  };
  const shape = [2, 8, 4] as const;
  const narrow = modelOf(() => new Sequential(layers), { name: "narrow", inputShape: shape, classes: 3 });
  expect((await readBack(narrow.build({ seed: 0 }))).inputShape).toEqual(shape);
});

describe.each(architectures)("an ONNX file of %s", (name) => {
  it("gives the model's logits", async () => {
    expect(await difference(builtModel(name))).toBeLessThan(1e-5);
  });

  it.each(randomDefenses)("gives the noise-free logits with $title", async ({ used }) => {
    expect(await difference(builtModel(name, used), true)).toBeLessThan(1e-5);
  });

  it.each(fixedDefenses(folder, channelsOf(name)))("gives the logits with $title", async ({ used }) => {
    // Narrow models and few images: no activation lies so near to the middle of two levels that the order of a
    // sum decides.
    expect(await difference(builtModel(name, used), false, 2)).toBeLessThan(1e-5);
  });
});

it("has cases of every defense of the package", () => {
  const cases = [...fixedDefenses(folder, 1), ...randomDefenses];
  const names = cases.flatMap(({ used }) => used.map((one) => defenses.of(one).name));
  const ofPackage = Object.values(all).map(({ name }) => name);
  expect([...new Set([...names, "pixel-defend"])].sort()).toEqual(ofPackage.sort());
});

/** Logits that ONNX Runtime gave for files of these models (test/golden/onnx_export.py). */
const ofOnnxRuntime = JSON.parse(
  readFileSync(new URL("../../golden/onnx-export.json", import.meta.url), "utf8"),
) as Readonly<Record<string, readonly number[]>>;

describe("ONNX Runtime", () => {
  it.each([
    ["small", () => builtModel("small")],
    ["small-deterministic", () => builtModel("small", ["deterministic-quantization"])],
    ["compact-deterministic", () => builtModel("compact", ["deterministic-quantization"])],
    ["resnet18", () => builtModel("resnet18")],
    ["every-layer", everyLayer],
  ])("gave the logits of %s that its file read back gives", async (name, built) => {
    const model = built();
    const again = await readBack(model);
    const wanted = ofOnnxRuntime[name]!;
    const largest = Math.max(...wanted.map(Math.abs));
    for (const one of [model, again]) {
      const found = logitsOf(one, imagesFor(model, 4));
      expect(found).toHaveLength(wanted.length);
      const differences = found.map((value, i) => Math.abs(value - wanted[i]!) / largest);
      expect(Math.max(...differences)).toBeLessThan(1e-4);
    }
  });
});

describe("an ONNX file", () => {
  it.each([
    ["small", { batchNorm: true }],
    ["compact", { threshold: false }],
    ["resnet18", { stem: "imagenet", inputShape: [3, 37, 50] }],
    ["preact-resnet18", { shortcut: "activation", classes: 7 }],
  ])("of %s follows the options %j", async (name, options) => {
    expect(await difference(builtModel(name, [], options))).toBeLessThan(1e-5);
  });

  it("has every layer of the package", async () => {
    expect(await difference(everyLayer())).toBeLessThan(1e-5);
  });

  it("keeps the names of weights and layers, and says what it is", async () => {
    const model = builtModel("resnet18", ["sqa"]);
    const again = await readBack(model);
    expect([...again.module.state().keys()]).toEqual(
      expect.arrayContaining([...model.module.state().keys()]),
    );
    const { model: read } = readOnnx(file);
    const names = read.graph.nodes.map((node) => node.name);
    expect(names).toEqual(expect.arrayContaining(["conv1", "layer1.0.conv1", "layer4.1.relu2", "fc"]));
    expect(new Set(names).size).toBe(names.length);
    expect([read.producer, [...read.opsets]]).toEqual(["sqa", [["", 17]]]);
    expect(read.graph.inputs).toEqual([{ name: "images", type: 1, shape: ["N", 3, 32, 32] }]);
    expect(read.graph.outputs).toEqual([{ name: "logits", type: 1, shape: ["N", 10] }]);
    const text = readFileSync(file).toString("latin1");
    expect(text).toContain("Noise: drawn by the runtime in each run.");
    expect(text).toContain('["sqa"]');
  });
});

describe("SQA in an ONNX file", () => {
  const draws = 4000;

  it.each(["image", "channel", "batch"])(
    "over a range %s draws levels whose mean is the input",
    async (range) => {
      for (const lambda of [1, 2, 3]) {
        const model = bareQuantizer(`sqa(relu=${lambda}, range=${range})` as "sqa");
        const again = await readBack(model);
        // Batches of one image many times: its extremes are the batch's.
        const one = imagesFor(model, 1);
        const found = logitsOf(again, one.expand([draws, ...model.inputShape]).contiguous());
        const pixels = one.toNumbers();
        for (const [i, pixel] of pixels.entries()) {
          const first = i - (i % 15);
          const part = range === "channel" ? pixels.slice(first, first + 15) : pixels;
          const [low, high] = [Math.min(...part), Math.max(...part)];
          const place = ((pixel - low) / (high - low)) * lambda;
          const levels = Array.from(
            { length: draws },
            (_, draw) => ((found[draw * pixels.length + i]! - low) / (high - low)) * lambda,
          );
          // On a level, and on one of the two around the pixel.
          expect(Math.max(...levels.map((level) => Math.abs(level - Math.round(level))))).toBeLessThan(1e-5);
          expect(Math.max(...levels.map((level) => Math.abs(level - place)))).toBeLessThan(1.00001);
          const mean = levels.reduce((sum, level) => sum + level, 0) / draws;
          const error = Math.sqrt(((place % 1) * (1 - (place % 1))) / draws);
          expect(Math.abs(mean - place)).toBeLessThan(5 * error + 1e-5);
        }
      }
    },
  );

  it("passes on activations that are all alike", async () => {
    const again = await readBack(bareQuantizer("sqa(relu=2)"));
    expect(logitsOf(again, tensor(Array(45).fill(0.25), [1, 3, 3, 5]))).toEqual(Array(45).fill(0.25));
  });

  it("draws stochastic binary weights once a run, with the chance of each", async () => {
    const model = bareWeights("binary-weights(stochastic=true)");
    const again = await readBack(model);
    const weights = model.module.state().get("fc.weight")!.toNumbers();
    const chances = weights.map((weight) => Math.min(1, Math.max(0, (weight + 1) / 2)));
    expect(chances.some((chance) => chance === 0 || chance === 1)).toBe(true);
    const eye = tensor(
      Array.from({ length: 36 }, (_, i) => (i % 7 === 0 ? 1 : 0)),
      [6, 1, 2, 3],
    );
    const runs = 400;
    const plus = Array<number>(30).fill(0);
    for (let draw = 0; draw < runs; draw++) {
      for (const [i, sign] of logitsOf(again, eye, false, draw).entries()) {
        expect(Math.abs(sign)).toBe(1);
        if (sign > 0) plus[(i % 5) * 6 + Math.floor(i / 5)]!++;
      }
    }
    for (const [i, chance] of chances.entries()) {
      const error = Math.sqrt((chance * (1 - chance)) / runs);
      expect(Math.abs(plus[i]! / runs - chance)).toBeLessThanOrEqual(5 * error);
    }
  });
});

describe("a random defense in an ONNX file", () => {
  it.each(bareDefenses)("draws as the model does: $text", async ({ text, expectDraws }) => {
    const model = bareQuantizer(text);
    const again = await readBack(model);
    const pixels = imagesFor(model, 1);
    const images = pixels.expand([4000, ...model.inputShape]).contiguous();
    // Another key, since the same may draw the same.
    const [own, read] = [logitsOf(model, images, false, 1), logitsOf(again, images)];
    expectDraws(rowsOf(read!, 45), rowsOf(own!, 45), pixels.toNumbers());
  });

  it.each(randomDefenses)(
    "has the mean and variance of the model over draws: $title",
    async ({ used, draws }) => {
      const model = builtModel("compact", used);
      const again = await readBack(model);
      const [runs, count] = draws!;
      const images = imagesFor(model, 1)
        .expand([count, ...model.inputShape])
        .contiguous();
      const [own, read] = [model, again].map((one) => {
        const logits = Array.from({ length: runs }, (_, draw) => logitsOf(one, images, false, draw));
        return moments(rowsOf(logits.flat(), model.classes));
      });
      for (const [k, { mean, variance }] of own!.entries()) {
        const other = read![k]!;
        expect(variance).toBeGreaterThan(0);
        const error = Math.sqrt((variance + other.variance) / (runs * count));
        expect(Math.abs(mean - other.mean)).toBeLessThan(5 * error);
        // Standard error of the ratio of two variances, of nearly normal numbers.
        expect(Math.abs(other.variance / variance - 1)).toBeLessThan(5 * Math.sqrt(4 / (runs * count)));
      }
    },
  );
});

/** Layer of a user's own. */
class Doubled extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.mul(2);
  }
}

/** Subclass that computes something else than the layer whose form it inherits. */
class Squared extends ReLU {
  protected override forward(input: Tensor): Tensor {
    return input.mul(input);
  }
}

/** The same with a form of its own. */
class Written extends Squared {
  protected override onnx(input: Parameters<ReLU["toOnnx"]>[0], sketch: Parameters<ReLU["toOnnx"]>[1]) {
    return sketch.node("Mul", [input, input]);
  }
}

describe("a model of a user's own", () => {
  const own = (layer: Module) =>
    modelOf(
      (seed) => new Sequential({ act: layer, flatten: new Flatten(), fc: new Linear(4, 2, { seed }) }),
      { inputShape: [1, 2, 2], classes: 2 },
    ).build({ seed: 0 });

  it("is written where its layers have a form", async () => {
    expect(await difference(own(new Written()))).toBeLessThan(1e-5);
  });

  it("is refused by the name of the class that has none, and no file is written", () => {
    const to = join(folder, "refused.onnx");
    const refusal = (model: Model) => () => exportOnnx(model, to);
    expect(refusal(own(new Doubled()))).toThrow(
      'in layer "act": Doubled has no form in ONNX: build it of the layers of sqa/nn, or give its class a ' +
        "method onnx(input, sketch) beside its forward",
    );
    expect(refusal(own(new Squared()))).toThrow("Squared has no form in ONNX");
    const changed = Object.assign(new ReLU(), { forward: (input: Tensor) => input.mul(3) });
    expect(refusal(own(changed))).toThrow("ReLU has no form in ONNX");
    const conv = new Conv2d(1, 1, 1, { seed: 0 });
    conv.weightTransform = Object.assign((weight: Tensor) => weight, { randomized: true });
    expect(refusal(own(conv))).toThrow("its random weights have no form in ONNX: write it noise-free");
    expect(existsSync(to)).toBe(false);
  });

  it("is refused by the defense that has no form, and says the way out", () => {
    const sizes = { channels: 1, filters: 2, layers: 1, mixtures: 2 };
    const density = writePart(join(folder, "density.safetensors"), densityPart, sizes);
    const model = small().build({ seed: 0, defenses: [pixelDefend({ density })] });
    expect(() => exportOnnx(model, join(folder, "purified.onnx"))).toThrow(
      /^defense pixel-defend has no form in ONNX: it searches pixel after pixel, .* give --defense none/,
    );
  });

  it("is refused where it is a graph out of a file", async () => {
    const model = (await loadOnnx("plain")).build({ seed: 0 });
    expect(() => exportOnnx(model, join(folder, "graph.onnx"))).toThrow("a graph out of a file");
  });
});

describe("exportOnnx", () => {
  it("replaces no file but when it is told to", () => {
    const model = small().build({ seed: 0 });
    const to = join(folder, "there.onnx");
    writeFileSync(to, "mine");
    expect(() => exportOnnx(model, to)).toThrow("is there already, with other content, and is not replaced");
    expect(readFileSync(to, "utf8")).toBe("mine");
    exportOnnx(model, to, { replace: true });
    const bytes = readFileSync(to);
    exportOnnx(model, to);
    expect(readFileSync(to).equals(bytes)).toBe(true);
  });

  it("refuses what is no model", () => {
    expect(() => exportOnnx(small() as never, file)).toThrow("model must be a model, such as small().build");
    expect(() => exportOnnx(small().build({ seed: 0 }), 3 as never)).toThrow("path must be");
    const noiseFree = "yes" as never;
    expect(() => exportOnnx(small().build({ seed: 0 }), file, { noiseFree })).toThrow("noiseFree must be");
  });
});
