// Passes in which weights are constants, and training passes, of networks whose convolutions go by tiles.
import { describe, expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { binarizedNetwork, sqa } from "../../src/defenses/index.js";
import {
  countedUniform,
  grad,
  imageIdRange,
  noGrad,
  operators as ops,
  scope,
  type Tensor,
} from "../../src/engine/index.js";
import { type Defense, type Model, preactResnet18, resnet18, resnet50 } from "../../src/models/index.js";
import {
  BatchNorm2d,
  Conv2d,
  forgetMade,
  type Pass,
  ReLU,
  replayed,
  Sequential,
  Tanh,
} from "../../src/nn/index.js";
import { liveCount } from "../live-count.js";

const count = 3;
const noise = { seed: deriveSeed(5), draw: 2, imageIds: imageIdRange(0, count) };
const sides = { inputShape: [3, 16, 16] as [number, number, number] };

/** Share of the largest wanted number by which numbers differ at most. */
function apart(given: Tensor, wanted: Tensor): number {
  expect(given.shape).toEqual(wanted.shape);
  return given.sub(wanted).abs().amax().item() / wanted.abs().amax().item();
}

/** Sum of the differences as a share of the sum: one gradient jumps where rounding moves a value across zero. */
function apartInSum(given: Tensor, wanted: Tensor): number {
  return given.sub(wanted).abs().sum().item() / wanted.abs().sum().item();
}

/** Moves running statistics away from their start, so that folding them can be seen. */
function warm(model: Model): void {
  for (const seed of [1, 2])
    scope(() => {
      const images = countedUniform({ ...noise, seed: deriveSeed(seed) }, 0, model.inputShape);
      noGrad(() => model.module.apply(images, { training: true, noise }));
    });
}

/** Logits and an image gradient by the pass of attacks, and by the logits that are reported. */
function bothWays(model: Model, options: Parameters<Model["classifier"]>[0] = {}) {
  const classifier = model.classifier(options);
  const images = countedUniform(noise, 0, model.inputShape);
  const pass = classifier.pass!(images, noise)!;
  const weights = pass.logits.cos();
  const input = images.detach().requireGrad();
  const logits = classifier.logits(input, noise);
  const [gradient] = grad(logits.mul(weights).sum(), [input]);
  return [
    [pass.logits, logits.detach()],
    [pass.imageGradient(weights, true), gradient!],
  ] as const;
}

describe("a pass with constant weights", () => {
  test.each([
    ["resnet18", resnet18({ width: 32, ...sides })],
    ["resnet50", resnet50({ width: 32, ...sides })],
    ["preact-resnet18", preactResnet18({ width: 32, ...sides })],
    ["resnet18 with SQA", resnet18({ width: 32, ...sides }), sqa({ places: "blocks" })],
  ])("has the logits and gradients of %s, but for the last bits", (_, architecture, defense?) => {
    scope(() => {
      const model = architecture.build({ seed: 1, defenses: defense === undefined ? [] : [defense] });
      warm(model);
      const [logits, gradients] = bothWays(model, { noiseFree: true });
      expect(apart(...logits)).toBeLessThan(5e-6);
      expect(apartInSum(...gradients)).toBeLessThan(1e-2);
      model.module.dispose();
    });
  });

  /** Scales of batch normalization, which lie in memory row by row. */
  const scales = ({ module }: Model) =>
    [...module.parameters().values()].filter(({ shape }) => shape.length === 1);
  const halved = (values: Float32Array) => values.map((value) => value / 2);
  test.each<[string, (model: Model) => void]>([
    [
      "weights",
      ({ module }) => {
        for (const weight of module.parameters().values()) weight.mul_(0.5);
      },
    ],
    ["statistics", warm],
    [
      "weights written by an array",
      (model) => {
        for (const scale of scales(model)) scale.write(halved(scale.toArray() as Float32Array));
      },
    ],
    [
      "weights in shared memory",
      (model) => {
        for (const scale of scales(model)) {
          const shared = scale.shareArray() as Float32Array;
          shared.set(halved(shared));
        }
      },
    ],
  ])("follows %s that change", (_, change) => {
    scope(() => {
      const model = resnet18({ width: 32, ...sides }).build({ seed: 1 });
      const [before] = bothWays(model);
      noGrad(() => change(model));
      const [after, gradients] = bothWays(model);
      expect(apart(after[0], before[0])).toBeGreaterThan(1e-2);
      expect(apart(...after)).toBeLessThan(5e-6);
      expect(apartInSum(...gradients)).toBeLessThan(1e-2);
      model.module.dispose();
    });
  });

  test("rounds to bfloat16 what is rounded without it", () => {
    scope(() => {
      const model = resnet18({ width: 32, ...sides }).build({ seed: 1 });
      const [logits, gradients] = bothWays(model, { precision: "bfloat16" });
      expect(apart(...logits)).toBeLessThan(2e-2);
      expect(apart(...gradients)).toBeLessThan(1e-1);
      model.module.dispose();
    });
  });

  test("leaves no tensor when the network is freed", () => {
    const before = liveCount();
    scope(() => {
      const model = resnet18({ width: 32, ...sides }).build({ seed: 1 });
      bothWays(model);
      model.module.dispose();
    });
    expect(liveCount()).toBe(before);
  });

  test("leaves nothing that it made once that is forgotten", () => {
    scope(() => {
      const { module, classifier } = resnet18({ width: 32, ...sides }).build({ seed: 1 });
      const before = liveCount();
      scope(() => void classifier().pass!(countedUniform(noise, 0, [3, 16, 16]), noise));
      expect(liveCount()).toBeGreaterThan(before);
      forgetMade(module);
      expect(liveCount()).toBe(before);
      module.dispose();
    });
  });

  test("is none for a copy of the classifier with other logits", () => {
    scope(() => {
      const model = resnet18({ width: 32, ...sides }).build({ seed: 1 });
      const base = model.classifier();
      const copy = {
        ...base,
        logits: (images: Tensor, key: typeof noise) => base.logits(images, key).mul(100),
      };
      const images = countedUniform(noise, 0, model.inputShape);
      expect(base.pass!(images, noise)).toBeDefined();
      expect(copy.pass!(images, noise)).toBeUndefined();
      const replays = replayed(base, "cpu", () => undefined);
      expect({ ...replays, logits: copy.logits }.pass!(images, noise)).toBeUndefined();
      model.module.dispose();
    });
  });

  test("heeds what lies between the layers", () => {
    scope(() => {
      const build = (between: (network: Sequential) => void) => {
        const network = new Sequential({
          conv: new Conv2d(32, 32, 3, { padding: 1, seed: 0 }),
          norm: new BatchNorm2d(32),
          relu: new ReLU(),
        });
        between(network);
        return network;
      };
      const places = [
        build(() => {}),
        build((network) => network.namedChildren()[0]![1].outputTransforms.push(new Tanh())),
        build((network) => network.namedChildren()[1]![1].outputTransforms.push(new Tanh())),
        build((network) => network.namedChildren()[2]![1].inputTransforms.push(new Tanh())),
        build((network) => network.namedChildren()[2]![1].outputTransforms.push(new Tanh())),
        build((network) => {
          Object.assign(network.namedChildren()[0]![1], {
            weightTransform: (weight: Tensor) => weight.neg(),
          });
        }),
      ];
      const input = countedUniform(noise, 0, [32, 8, 8]).sub(0.5).mul(4);
      for (const network of places) {
        const pass: Pass = { training: false, noise };
        const wanted = network.apply(input, pass);
        expect(apart(network.apply(input, { ...pass, constantWeights: true }), wanted)).toBeLessThan(5e-6);
        network.dispose();
      }
    });
  });
});

test("a transformed weight trains by libtorch's sums, which are exact where it is binary", () => {
  scope(() => {
    const build = (...defenses: Defense[]) => resnet18({ width: 32, ...sides }).build({ seed: 1, defenses });
    const plain = build();
    const binary = build(binarizedNetwork());
    const convolutions = (model: Model) =>
      model.module
        .namedModules()
        .flatMap(([, module]) => (module instanceof Conv2d ? [module.gainsByTiles] : []));
    expect(convolutions(plain).filter(Boolean).length).toBeGreaterThan(10);
    expect(convolutions(binary).filter(Boolean)).toEqual([]);
    for (const { module } of [plain, binary]) module.dispose();
  });
});

test("a training pass by tiles has the gradients of libtorch's convolutions", () => {
  scope(() => {
    const weight = countedUniform({ ...noise, imageIds: imageIdRange(0, 64) }, 1, [32, 3, 3]).sub(0.5);
    const bias = countedUniform({ ...noise, imageIds: imageIdRange(0, 64) }, 2, []).requireGrad();
    const layer = Conv2d.of(weight.requireGrad(), bias, { padding: 1 });
    const input = countedUniform(noise, 0, [32, 9, 9]).requireGrad();
    const byTiles = layer.apply(input, { training: true, noise });
    const plain = ops.conv2d(input, weight, bias, [1, 1], [1, 1], [1, 1], 1);
    const slopes = (output: Tensor) => grad(output.cos().sum(), [input, weight, bias]);
    expect([...byTiles.toNumbers()]).not.toEqual([...plain.toNumbers()]);
    const wanted = slopes(plain);
    for (const [i, gradient] of slopes(byTiles).entries())
      expect(apart(gradient, wanted[i]!)).toBeLessThan(5e-6);
  });
});
