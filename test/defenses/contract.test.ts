import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { defenses, denoiserPart, densityPart } from "../../src/defenses/index.js";
import { countedUniform, grad, imageIdRange, noGrad, scope, type Tensor } from "../../src/engine/index.js";
import { type Defense, type Model, modelOf, models, numberedClasses, small } from "../../src/models/index.js";
import { wideResnet } from "../../src/models/wide-resnet.js";
import { type Classifier, Flatten, Linear, ReLU, Sequential } from "../../src/nn/index.js";
import { testDefinition } from "../options/kind-contract.js";
import { jitter } from "./jitter.js";
import { partsFolder, writePart } from "./parts.js";

const { folder, remove } = partsFolder();
afterAll(defenses.register(jitter));
afterAll(remove);
const density = writePart(join(folder, "density.safetensors"), densityPart, {
  channels: 2,
  filters: 2,
  layers: 1,
  mixtures: 2,
});
const denoiser = writePart(join(folder, "denoiser.safetensors"), denoiserPart, { channels: 2, width: 2 });

/** Defenses with a trained part, which has no default. */
const withParts: Readonly<Record<string, string>> = {
  "pixel-defend": `pixel-defend(density=${density})`,
  "guided-denoiser": `guided-denoiser(denoiser=${denoiser})`,
};

/** Other options of a defense, beside its defaults. */
const variants: Readonly<Record<string, readonly string[]>> = {
  sqa: ["sqa(places=stages, range=channel)"],
  "deterministic-quantization": ["deterministic-quantization(range=batch)"],
  "binary-weights": ["binary-weights(stochastic=true)"],
  "binarized-network": ["binarized-network(stochastic=true)"],
  sap: ["sap(samples=0.3, training=true)"],
  thermometer: ["thermometer(gradient=none, levels=5)"],
  "random-resize-pad": ["random-resize-pad(shrink=1)"],
  "pixel-defend": [`pixel-defend(density=${density}, epsilon=0.3, gradient=none)`],
};

/** Weights that a defense gives another shape, in SMALL. */
const widened: Readonly<Record<string, string>> = {
  thermometer: "conv1.weight [16,32,3,3]",
  "thermometer(levels=5, gradient=none)": "conv1.weight [16,10,3,3]",
};

const imageIds = imageIdRange(5, 2);
const noise = (draw: number) => ({ seed: deriveSeed(1), draw, imageIds });
const uniforms = (shape: readonly number[]) =>
  noGrad(() => countedUniform({ seed: deriveSeed(2), draw: 0, imageIds }, 0, shape));
const numbers = (classifier: Classifier, images: Tensor, draw: number) =>
  noGrad(() => scope(() => classifier.logits(images, noise(draw)).toNumbers()));

/** Every architecture, as narrow as it can be. */
const architectures = models.definitions.map(({ name, options, make }) => {
  const narrow = "width" in options.shape ? { width: 4 } : {};
  return [name, () => make({ ...narrow, inputShape: [2, 16, 16], classes: 5 })] as const;
});

/** Those with few layers: signs for weights overflow in a hundred layers that no training has normalized. */
const shallow = [
  ...architectures.filter(([name]) => /small|compact|resnet18/.test(name)),
  ["wide-resnet-10-1", () => wideResnet(10, 1)({ inputShape: [2, 16, 16], classes: 5 })] as const,
];

/** Tests what answers of a model with a defense keep to. */
function expectDefended(model: Model, defense: Defense): void {
  const images = uniforms(model.inputShape);
  const classifier = model.classifier();
  const [first, again, other] = [1, 1, 2].map((draw) => numbers(classifier, images, draw));
  expect(first!.every(Number.isFinite)).toBe(true);
  expect(again).toEqual(first);
  if (defense.randomized) expect(other).not.toEqual(first);
  else expect(other).toEqual(first);
  const surrogates = Object.entries(classifier.surrogates ?? {});
  for (const [name, surrogate] of surrogates) {
    expect(surrogate, name).toMatchObject({ inputShape: model.inputShape, classes: model.classes });
    expect(numbers(surrogate, images, 1), name).toHaveLength(2 * model.classes);
    expect(surrogate.surrogates, name).toEqual({});
    const input = images.detach().requireGrad();
    const [gradient] = grad(surrogate.logits(input, noise(1)).square().sum(), [input]);
    expect(
      gradient!.toNumbers().some((value) => value !== 0),
      name,
    ).toBe(true);
  }
  const noiseFree = model.classifier({ noiseFree: true });
  expect(numbers(noiseFree, images, 2)).toEqual(numbers(noiseFree, images, 1));
}

describe.each(defenses.names)("defense %s", (name) => {
  const definition = defenses.definition(name);
  testDefinition(defenses, definition);
  const plain = withParts[definition.name] ?? definition.name;
  const forms = [plain, ...(variants[definition.name] ?? [])].map((text) => defenses.parse(text));

  test("advises an attacker in a sentence", () => {
    for (const { advice } of forms) expect(advice.split(" ").length).toBeGreaterThan(4);
  });

  test.each(architectures)("finds its places in %s, which is random then or not as it says", (_, make) => {
    const model = make().build({ seed: 0, defenses: [forms[0]!] });
    expect(model.defenses).toEqual([forms[0]]);
    expect(model.classifier().randomized).toBe(forms[0]!.randomized);
    expect(model.classifier({ noiseFree: true }).randomized).toBe(false);
    model.module.dispose();
  });

  test.each(shallow)(
    "makes %s random or not as it says, and has surrogates that are classifiers",
    (_, make) => {
      for (const defense of forms) {
        const model = make().build({ seed: 0, defenses: [defense] });
        expectDefended(model, defense);
        model.module.dispose();
      }
    },
  );

  test("leaves the names and shapes of the weights as they are, but for a first layer that it widens", () => {
    const shapes = (list: readonly Defense[]) => {
      const { module } = small({ inputShape: [2, 16, 16] }).build({ seed: 0, defenses: list });
      return [...module.state()].map(([name, { shape }]) => `${name} [${shape}]`);
    };
    for (const defense of forms) {
      const first = widened[String(defense)];
      const others = shapes([]).slice(first === undefined ? 0 : 1);
      expect(shapes([defense])).toEqual(first === undefined ? others : [first, ...others]);
    }
  });

  const updating = forms.filter(({ afterUpdate }) => afterUpdate !== undefined);
  test.skipIf(updating.length === 0)("changes weights after an update once, and not again", () => {
    for (const defense of updating) {
      const model = models.parse("small").build({ seed: 0, defenses: [defense] });
      defense.afterUpdate?.(model);
      const once = [...model.module.state().values()].map((value) => value.toNumbers());
      defense.afterUpdate?.(model);
      expect([...model.module.state().values()].map((value) => value.toNumbers())).toEqual(once);
    }
  });

  const random = forms.filter(({ randomized }) => randomized);
  test.skipIf(random.length === 0)("has its mean for the noise-free model, where the rest is linear", () => {
    const linear = modelOf(
      (seed) => new Sequential({ relu: new ReLU(), flatten: new Flatten(), fc: new Linear(12, 3, { seed }) }),
      { inputShape: [1, 3, 4], classes: 3, activations: { "first-layer": ["relu"] } },
    );
    for (const defense of random) {
      const model = linear.build({ seed: 3, defenses: [defense] });
      const images = uniforms(model.inputShape);
      const draws = 1500;
      const found = Array.from({ length: draws }, (_, draw) => numbers(model.classifier(), images, draw));
      const mean = found[0]!.map((_, i) => found.reduce((sum, logits) => sum + logits[i]!, 0) / draws);
      for (const [i, wanted] of numbers(model.classifier({ noiseFree: true }), images, 0).entries()) {
        const variance = found.reduce((sum, logits) => sum + (logits[i]! - mean[i]!) ** 2, 0) / draws;
        expect(variance).toBeGreaterThan(0);
        // Six standard errors: fails once in 10^9.
        expect(Math.abs(mean[i]! - wanted)).toBeLessThan(6 * Math.sqrt(variance / draws) + 1e-6);
      }
    }
  });
});

test("several defenses stand in one model, in their order", () => {
  const list = ["jitter", "sqa(relu1=1)", "binary-weights(layers=conv1)"].map((text) => defenses.parse(text));
  const model = models.parse("small").build({ seed: 0, defenses: list });
  expect(model.defenses.map(String)).toEqual(["jitter", "sqa(relu1=1)", "binary-weights(layers=conv1)"]);
  expect(Object.keys(model.classifier().surrogates!)).toEqual(["noise-free", "staircase", "range"]);
  expect(model.classNames).toEqual(numberedClasses(10));
  const images = uniforms([1, 28, 28]);
  expect(numbers(model.classifier(), images, 1)).not.toEqual(numbers(model.classifier(), images, 2));
  const noiseFree = model.classifier({ noiseFree: true });
  expect(numbers(noiseFree, images, 1)).toEqual(numbers(noiseFree, images, 2));
});
