import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { defenses, denoiserPart, densityPart, type PartKind } from "../../src/defenses/index.js";
import { enableGrad, grad, imageIdRange, noGrad, type Tensor, tensor } from "../../src/engine/index.js";
import { type Model, modelOf } from "../../src/models/index.js";
import { type Classifier, Conv2d, Flatten, Linear, loadState, ReLU, Sequential } from "../../src/nn/index.js";
import { partsFolder, writePart } from "./parts.js";

const { folder, remove } = partsFolder();
afterAll(remove);

/** Logits, and the gradient of their sum times `v`, in row-major order. */
interface Pass {
  readonly logits: readonly number[];
  readonly gradient: readonly number[];
}

interface Case {
  readonly defense: string;
  /** Trained part of the defense, by the option that takes it. */
  readonly part?: {
    readonly option: string;
    readonly sizes: object;
    readonly weights: Readonly<Record<string, readonly number[]>>;
  };
  readonly shape: readonly [number, number, number];
  readonly images: readonly number[];
  readonly weights: Readonly<Record<string, readonly number[]>>;
  readonly v: readonly number[];
  readonly own: Pass;
  readonly "noise-free"?: Pass;
  readonly "straight-through"?: Pass;
  readonly unpurified?: Pass;
}

/** Kinds of parts by the options that take them. */
const partKinds: Readonly<Record<string, PartKind<object>>> = {
  denoiser: denoiserPart as unknown as PartKind<object>,
  density: densityPart as unknown as PartKind<object>,
};

/** Made by test/golden/defenses.py. */
const golden = JSON.parse(readFileSync(new URL("../golden/defenses.json", import.meta.url), "utf8")) as {
  readonly noise: { readonly low: number; readonly high: number; readonly draw: number; images: number[] };
  readonly cases: readonly Case[];
};
const { low, high, draw, images: ids } = golden.noise;
const noise = { seed: { low, high }, draw, imageIds: imageIdRange(ids[0]!, ids.length) };

/** The defense of a case, whose trained part is written first. */
function defenseOf({ defense, part }: Case) {
  if (part === undefined) return defenses.parse(defense);
  const file = join(folder, `${golden.cases.findIndex((one) => one.defense === defense)}.safetensors`);
  writePart(file, partKinds[part.option]!, part.sizes, part.weights);
  return defenses.parse(
    defense.replace(/\)?$/, `${defense.endsWith(")") ? ", " : "("}${part.option}=${file})`),
  );
}

/** A network with the weights of a case, and its defense. */
function modelOfCase(one: Case): Model {
  const { shape, weights } = one;
  const [channels, height, width] = shape;
  const convolves = "conv.weight" in weights;
  const features = convolves ? 3 * height * width : channels * height * width;
  const architecture = modelOf(
    (seed) =>
      new Sequential({
        ...(convolves ? { conv: new Conv2d(channels, 3, 3, { padding: 1, seed }) } : {}),
        relu: new ReLU(),
        flatten: new Flatten(),
        fc: new Linear(features, 3, { seed }),
      }),
    { inputShape: shape, classes: 3 },
  );
  const model = architecture.build({ seed: 0, defenses: [defenseOf(one)] });
  const state = [...model.module.state()].map(([name, { shape: sides }]): [string, Tensor] => [
    name,
    tensor([...weights[name]!], sides),
  ]);
  loadState(model.module, new Map(state));
  return model;
}

function passOf(classifier: Classifier, { images, shape, v }: Case): Pass {
  const input = tensor([...images], [2, ...shape]).requireGrad();
  return enableGrad(() => {
    const logits = classifier.logits(input, noise);
    const [gradient] = grad(logits.mul(tensor([...v], [2, 3])).sum(), [input]);
    return { logits: logits.toNumbers(), gradient: gradient!.toNumbers() };
  });
}

function expectClose(found: readonly number[], wanted: readonly number[]): void {
  expect(found).toHaveLength(wanted.length);
  const scale = Math.max(1, ...wanted.map(Math.abs));
  for (const [i, value] of wanted.entries()) expect(Math.abs(found[i]! - value)).toBeLessThan(1e-5 * scale);
}

test.each(golden.cases.map((one) => [one.defense, one] as const))(
  "%s has the logits and gradients of another form, and so have its surrogates",
  (_, one) => {
    const classifier = modelOfCase(one).classifier();
    const { surrogates = {} } = classifier;
    const forms: [Classifier, Pass | undefined][] = [
      [classifier, one.own],
      ...Object.entries(surrogates).map(([name, surrogate]): [Classifier, Pass | undefined] => [
        surrogate,
        one[name as "noise-free" | "straight-through" | "unpurified"],
      ]),
    ];
    expect(forms.length).toBeGreaterThan(1);
    for (const [form, wanted] of forms) {
      const found = passOf(form, one);
      expectClose(found.logits, wanted!.logits);
      expectClose(found.gradient, wanted!.gradient);
    }
  },
);

test("a thermometer begins as the model was, on pixels rounded to levels", () => {
  const architecture = modelOf(
    (seed) => new Sequential({ conv: new Conv2d(2, 3, 3, { seed }), flatten: new Flatten() }),
    { inputShape: [2, 3, 3], classes: 3 },
  );
  const pixels = Array.from({ length: 18 }, (_, i) => (i + 0.3) / 18);
  const rounded = pixels.map((pixel) => (Math.floor(pixel * 4) + 1) / 4);
  const logits = (values: readonly number[], list: readonly string[]) =>
    noGrad(() =>
      architecture
        .build({ seed: 5, defenses: list.map((text) => defenses.parse(text)) })
        .classifier()
        .logits(tensor([...values], [1, 2, 3, 3]), { ...noise, imageIds: imageIdRange(0, 1) })
        .toNumbers(),
    );
  expectClose(logits(pixels, ["thermometer(levels=4)"]), logits(rounded, []));
});

test("defenses refuse models that have no place for them", () => {
  const build = (text: string, inputShape: readonly [number, number, number]) =>
    modelOf(
      (seed) =>
        new Sequential({
          flatten: new Flatten(),
          fc: new Linear(inputShape[0] * inputShape[1] * inputShape[2], 2, { seed }),
        }),
      { inputShape, classes: 2 },
    ).build({ seed: 0, defenses: [defenses.parse(text)] });
  expect(() => build("sap", [1, 4, 4])).toThrow("no ReLU layer");
  expect(() => build("binarized-network", [1, 4, 4])).toThrow("no ReLU layer");
  expect(() => build("thermometer", [1, 4, 4])).toThrow(
    'thermometer needs a convolution of 1 channels as the first layer, found "fc"',
  );
  expect(() => build("random-resize-pad(shrink=4)", [1, 4, 4])).toThrow("give shrink in 1 .. 3");
  expect(() => build("random-resize-pad(shrink=3)", [1, 4, 4])).not.toThrow();
});
