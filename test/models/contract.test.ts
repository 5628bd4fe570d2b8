import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { deriveSeed } from "../../src/base/index.js";
import { countedUniform, imageIdRange, noGrad, scope } from "../../src/engine/index.js";
import {
  type Architecture,
  defineModel,
  type ImageShape,
  imageOptions,
  models,
  normalizedImageOptions,
} from "../../src/models/index.js";
import { Conv2d, GlobalAveragePool, Linear, type Module, ReLU, Sequential } from "../../src/nn/index.js";
import { testDefinition } from "../options/kind-contract.js";

/** Architecture of somebody else's: one convolution, and the mean of what it finds. */
const glance = defineModel("glance", {
  summary: "one convolution and the mean of what it finds",
  options: imageOptions.extend({ filters: z.int().min(1).default(4).describe("filters of the convolution") }),
  defaults: { inputShape: [1, 9, 9], classes: 4 },
  layout: ({ filters, inputShape, classes }) => ({
    activations: { "first-layer": ["relu"] },
    layers: (seed) =>
      new Sequential({
        conv: new Conv2d(inputShape[0], filters, 3, { padding: 1, seed }),
        relu: new ReLU(),
        mean: new GlobalAveragePool(),
        fc: new Linear(filters, classes, { seed }),
      }),
  }),
});
afterAll(models.register(glance));

/** Options that make an architecture small enough to build many. */
const narrow = (options: z.ZodObject) => ("width" in options.shape ? { width: 8 } : {});

const sizes: readonly (readonly [shape: ImageShape, classes: number])[] = [
  [[1, 8, 8], 2],
  [[3, 32, 32], 10],
  [[2, 13, 24], 301],
];

const imagesOf = (count: number, shape: ImageShape) =>
  countedUniform({ seed: deriveSeed(1), draw: 0, imageIds: imageIdRange(0, count) }, 0, shape);
const noise = (count: number) => ({ seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, count) });

/** Largest difference of two modules' tensors; infinite for other names. */
function difference(one: Module, other: Module): number {
  const [a, b] = [one.state(), other.state()];
  if ([...a.keys()].join() !== [...b.keys()].join()) return Number.POSITIVE_INFINITY;
  return noGrad(() =>
    scope(() => Math.max(...[...a].map(([name, value]) => value.sub(b.get(name)!).abs().amax().item()))),
  );
}

describe.each(models.names)("model %s", (name) => {
  const definition = models.definition(name);
  testDefinition(models, definition);
  const small = narrow(definition.options);
  const made = (options: object = {}) => definition.make({ ...small, ...options });

  test.each(sizes)("gives logits for images of %j of %i classes", (inputShape, classes) => {
    const architecture = made({ inputShape, classes });
    expect(architecture).toMatchObject({ inputShape, classes });
    expect(architecture.classNames).toEqual(Array.from({ length: classes }, (_, label) => String(label)));
    const model = architecture.build({ seed: 0 });
    expect(model).toMatchObject({ inputShape, classes, name: String(architecture), defenses: [] });
    const logits = noGrad(() => model.classifier().logits(imagesOf(2, inputShape), noise(2)));
    expect([logits.shape, logits.dtype]).toEqual([[2, classes], "float32"]);
    expect(logits.toNumbers().every(Number.isFinite)).toBe(true);
    model.module.dispose();
  });

  describe("built for a seed", () => {
    const built = () => [3, 3, 4].map((seed) => made().build({ seed }));
    let [one, again, other]: ReturnType<typeof built> = [];
    beforeAll(() => {
      [one, again, other] = built();
    });
    afterAll(() => {
      for (const model of [one, again, other]) model!.module.dispose();
    });

    test("has the same weights each time, and others for another seed", () => {
      expect(difference(one!.module, again!.module)).toBe(0);
      expect(difference(one!.module, other!.module)).toBeGreaterThan(0);
    });

    test("answers for an image whatever its batch, and is not random by itself", () => {
      const classifier = one!.classifier();
      expect(classifier.randomized).toBe(false);
      expect(Object.keys(classifier.surrogates ?? {})).toEqual([]);
      const images = imagesOf(3, one!.inputShape);
      const [whole, alone] = noGrad(() => [
        classifier.logits(images, noise(3)).slice(0, 2, 3),
        classifier.logits(images.slice(0, 2, 3), noise(1)),
      ]);
      const largest = whole!.abs().amax().item();
      expect(whole!.sub(alone!).abs().amax().item()).toBeLessThan(1e-5 * Math.max(1, largest));
    });

    test("names layers that it has as the places of defenses", () => {
      const { activations, module } = one!;
      const layers = module.namedModules().map(([name]) => name);
      expect(activations["first-layer"]).toHaveLength(1);
      for (const names of Object.values(activations)) {
        expect(names.filter((name) => !layers.includes(name))).toEqual([]);
      }
    });
  });

  test("is fitted to a data set's images, classes and statistics", () => {
    const format = {
      imageShape: [3, 16, 12],
      classNames: ["a", "b", "c"],
      statistics: { mean: [0.5, 0.4, 0.3], std: [0.3, 0.2, 0.1] },
    } as const;
    const fitted = made().fittedTo(format, "data set own");
    expect(fitted).toMatchObject({ inputShape: [3, 16, 12], classes: 3, classNames: ["a", "b", "c"] });
    const normalizes = definition.options.shape.mean === normalizedImageOptions.shape.mean;
    const { options } = models.parse(String(fitted));
    expect([options.mean, options.std]).toEqual(
      normalizes
        ? [
            [0.5, 0.4, 0.3],
            [0.3, 0.2, 0.1],
          ]
        : [undefined, undefined],
    );
    const model = fitted.build({ seed: 0 });
    expect(model.classNames).toEqual(["a", "b", "c"]);
    expect(model.module.inputTransforms).toHaveLength(normalizes ? 1 : 0);
    // Fitted once, it fits.
    expect(String(fitted.fittedTo(format, "data set own"))).toBe(String(fitted));
    model.module.dispose();
  });

  test("normalizes by the mean and deviation that it is given, and fits with them", () => {
    const given = { mean: [0.1307], std: [0.3081] };
    const threshold = "threshold" in definition.options.shape ? { threshold: false } : {};
    const options = { inputShape: [1, 28, 28] as ImageShape, ...threshold };
    const statistics = { mean: [0.5], std: [0.5] };
    const format = { imageShape: [1, 28, 28], classNames: ["a", "b"], statistics } as const;
    const fitted = made({ ...options, ...given }).fittedTo(format, "data set own");
    expect(models.parse(String(fitted)).options).toMatchObject(given);
    const model = fitted.build({ seed: 0 });
    const plain = made({ ...options, classes: 2 }).build({ seed: 0 });
    const images = imagesOf(2, [1, 28, 28]);
    const change = noGrad(() => {
      const expected = plain.classifier().logits(images.sub(0.1307).div(0.3081), noise(2));
      return model.classifier().logits(images, noise(2)).sub(expected).abs().amax().item();
    });
    expect(change).toBeLessThan(1e-4);
    expect(() => made({ ...options, mean: [0.1307] })).toThrow("mean and std go together");
    for (const one of [model, plain]) one.module.dispose();
  });

  test("refuses a data set that its options contradict", () => {
    const statistics = { mean: [0.5], std: [0.5] };
    const format = { imageShape: [1, 28, 28], classNames: ["a", "b"], statistics } as const;
    const against = (options: object) => () => made(options).fittedTo(format, "data set own");
    expect(against({ inputShape: [3, 28, 28] })).toThrow(
      /takes images of shape \[3, 28, 28\]; data set own has \[1, 28, 28\]/,
    );
    expect(against({ classes: 5 })).toThrow(/has 5 classes; data set own has 2/);
    expect(against({ inputShape: [1, 28, 28], classes: 2 })().classes).toBe(2);
  });

  test("refuses images without pixels and fewer than two classes", () => {
    for (const wrong of [
      { inputShape: [1, 0, 28] },
      { inputShape: [28, 28] },
      { classes: 1 },
      { classes: 2.5 },
    ]) {
      expect(() => made(wrong)).toThrow(RangeError);
    }
  });
});

test("a model that normalizes takes a mean and a deviation of each channel, both or none", () => {
  const parse = (text: string) => () => models.parse(text) as Architecture;
  expect(parse("resnet18(mean=[0.5, 0.5, 0.5], std=[1, 1, 1])")().name).toBe("resnet18");
  expect(parse("resnet18(mean=[0.5, 0.5, 0.5])")).toThrow("model resnet18: mean and std go together");
  expect(parse("resnet18(mean=[0.5], std=[1])")).toThrow(
    "model resnet18: mean and std hold a number for each of 3 channels, given 1 and 1",
  );
  expect(parse("resnet18(mean=[0, 0, 0], std=[1, 0, 1])")).toThrow("a standard deviation is above 0");
  expect(parse("compact(mean=[0], std=[1])")).toThrow("which mean and std change: give threshold=false");
});

test("a classifier refuses options that it does not have, which would leave another to be attacked", () => {
  const model = models.parse("compact").build({ seed: 0 });
  const refused = (options: unknown) => () => model.classifier(options as never);
  expect(refused({ noisefree: true })).toThrow('unknown option "noisefree"; did you mean "noiseFree"?');
  expect(refused({ noiseFree: "yes" })).toThrow('noiseFree must be true or false, not "yes"');
  expect(refused({ precision: "bf16" })).toThrow('unknown precision "bf16"');
  expect(refused("noise-free")).toThrow("options must be an object such as { noiseFree: true }");
  expect(model.classifier({ noiseFree: false }).classes).toBe(10);
  model.module.dispose();
});
