import { describe, expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { binarizeWeights, binary, placeAfter, quantizer, sqa } from "../../src/defenses/index.js";
import { countedNormal, grad, imageIdRange, scope, type Tensor } from "../../src/engine/index.js";
import { large, small } from "../../src/models/index.js";
import {
  BatchNorm2d,
  Conv2d,
  type Conv2dOptions,
  crossEntropy,
  MaxPool2d,
  type Module,
  type Pass,
  ReLU,
  Sequential,
  withoutFusion,
} from "../../src/nn/index.js";

const normal = (name: string, shape: readonly number[]) =>
  countedNormal(
    { seed: deriveSeed(1, name), draw: 0, imageIds: imageIdRange(0, shape[0]!) },
    0,
    shape.slice(1),
  );

const pass = (batch: number, change: Partial<Pass> = {}): Pass => ({
  training: true,
  noise: { seed: deriveSeed(2), draw: 3, imageIds: imageIdRange(10, batch) },
  ...change,
});

function expectClose(actual: Tensor, expected: Tensor, tolerance: number): void {
  expect(actual.shape).toEqual(expected.shape);
  const difference = actual.sub(expected).abs().amax().item();
  expect(difference).toBeLessThanOrEqual(tolerance * expected.abs().amax().item());
}

/** Tells whether fused blocks were used: they round otherwise, and make fewer nodes. */
function layersApplied(network: Module, input: Tensor, how: Pass): string[] {
  const applied: string[] = [];
  const restore = network.namedModules().map(([name, module]) => {
    const original = module.apply;
    module.apply = function (this: Module, ...given) {
      applied.push(name);
      return original.apply(this, given);
    };
    return () => {
      module.apply = original;
    };
  });
  try {
    scope(() => void network.apply(input, how));
  } finally {
    for (const undo of restore) undo();
  }
  return applied;
}

describe("a network evaluated in fused blocks equals itself layer by layer", () => {
  test.each([
    ["small", small, false],
    ["large", large, false],
    ["small, noise-free", small, true],
  ] as const)("%s", (_, model, noiseFree) => {
    const batch = 4;
    const { module } = model().build({ seed: 5, defenses: noiseFree ? [sqa()] : [] });
    const images = normal("images", [batch, 1, 28, 28]).abs().clamp(0, 1).detach().requireGrad();
    const labels = imageIdRange(0, batch);
    const run = () => {
      const loss = crossEntropy(module.apply(images, pass(batch, { noiseFree })), labels).sum();
      return [loss, ...grad(loss, [images, ...module.parameters().values()])];
    };
    const expected = withoutFusion(run);
    for (const [i, value] of run().entries()) expectClose(value, expected[i]!, 2e-5);
  });
});

describe("layers are fused", () => {
  const convolution = ({ kernel = 3, ...options }: Partial<Conv2dOptions> & { kernel?: number } = {}) =>
    new Conv2d(8, 8, kernel, { padding: 1, seed: 1, ...options });
  const network = (
    conv: Module = convolution(),
    after: Record<string, Module> = {},
    pool = new MaxPool2d(2),
  ) => new Sequential({ conv, ...after, relu: new ReLU(), pool });
  const input = normal("hidden", [2, 8, 8, 8]);

  test.each<[string, () => Module]>([
    ["without a quantizer", () => network()],
    ["with SQA after the ReLU", () => placeAfter(network(), { relu: quantizer({ lambda: 2 }) })],
    [
      "with SQA that rounds to nearest",
      () => placeAfter(network(), { relu: quantizer({ rounding: "nearest" }) }),
    ],
  ])("%s", (_, make) => {
    expect(layersApplied(make(), input, pass(2))).toEqual([]);
    expect(withoutFusion(() => layersApplied(make(), input, pass(2)))).toEqual(["conv", "relu", "pool"]);
  });

  test("with SQA switched off, whatever its range", () => {
    const made = placeAfter(network(), { relu: quantizer({ range: "batch" }) });
    expect(layersApplied(made, input, pass(2, { noiseFree: true }))).toEqual([]);
  });

  class OwnConvolution extends Conv2d {}

  test.each<[string, () => Module]>([
    ["another padding", () => network(convolution({ padding: 0 }))],
    ["another stride", () => network(convolution({ stride: 2 }))],
    ["another kernel", () => network(convolution({ kernel: 5, padding: 1 }))],
    ["dilation", () => network(convolution({ dilation: 2 }))],
    ["padding of one axis alone", () => network(convolution({ padding: [1, 0] }))],
    ["groups", () => network(convolution({ groups: 2 }))],
    ["pooling that overlaps", () => network(convolution(), {}, new MaxPool2d(2, { stride: 1 }))],
    ["pooling with padding", () => network(convolution(), {}, new MaxPool2d(2, { padding: 1 }))],
    ["dilated pooling", () => network(convolution(), {}, new MaxPool2d(2, { dilation: 2 }))],
    ["no bias", () => network(convolution({ bias: false }))],
    ["a class of the user's", () => network(new OwnConvolution(8, 8, 3, { padding: 1, seed: 1 }))],
    ["batch normalization", () => network(convolution(), { norm: new BatchNorm2d(8) })],
    ["SQA after the convolution", () => placeAfter(network(), { conv: quantizer() })],
    ["SQA after pooling", () => placeAfter(network(), { pool: quantizer() })],
    ["two quantizers", () => placeAfter(placeAfter(network(), { relu: quantizer() }), { relu: quantizer() })],
    ["SQA over the batch", () => placeAfter(network(), { relu: quantizer({ range: "batch" }) })],
    ["SQA over a channel", () => placeAfter(network(), { relu: quantizer({ range: "channel" }) })],
    ["binary weights", () => binarizeWeights(network(), { conv: binary() })],
    ["channels that are no multiple of 8", () => network(new Conv2d(8, 12, 3, { padding: 1, seed: 1 }))],
  ])("not with %s", (_, make) => {
    expect(layersApplied(make(), input, pass(2)).slice(0, 1)).toEqual(["conv"]);
  });

  test("only where the tensors qualify", () => {
    const made = network();
    const wide = network(
      Conv2d.of(convolution().weight.to("float64"), convolution().bias!.to("float64"), { padding: 1 }),
    );
    expect(layersApplied(wide, input.to("float64"), pass(2))).toEqual(["conv", "relu", "pool"]);
    expect(() => made.apply(input.slice(2, 0, 1), pass(2))).toThrow(/max_pool2d/);
  });

  test("from the middle of a network on, with the layers around them", () => {
    const made = new Sequential({
      first: new ReLU(),
      conv: convolution(),
      relu: new ReLU(),
      pool: new MaxPool2d(2),
      last: new ReLU(),
    });
    expect(layersApplied(made, input, pass(2))).toEqual(["first", "last"]);
  });
});

describe("batch normalization is folded into the convolution before it", () => {
  const atRest = (change: Partial<Pass> = {}) => pass(2, { training: false, ...change });
  const input = normal("normalized", [2, 3, 8, 8]);
  const network = (options: { bias?: boolean; stride?: number } = {}) => {
    const made = new Sequential({
      conv: new Conv2d(3, 8, 3, { padding: 1, seed: 1, ...options }),
      norm: new BatchNorm2d(8),
      relu: new ReLU(),
    });
    for (const [name, value] of made.state()) {
      if (name.startsWith("norm.")) value.detach().copy_(normal(name, [8]).abs().add(0.5));
    }
    return made;
  };

  test.each<[string, () => Sequential]>([
    ["with a bias", () => network()],
    ["without, and with a stride", () => network({ bias: false, stride: 2 })],
  ])("to the same values and gradients, %s", (_, make) => {
    const module = make();
    const images = input.detach().requireGrad();
    const run = () => {
      const output = module.apply(images, atRest());
      return [output, ...grad(output.square().sum(), [images, ...module.parameters().values()])];
    };
    expect(layersApplied(module, images, atRest())).not.toContain("conv");
    const expected = withoutFusion(run);
    for (const [i, value] of run().entries()) expectClose(value, expected[i]!, 2e-5);
  });

  test("in bfloat16 to values that are rounded once, of weights that are", () => {
    const [module, how] = [network({ bias: false }), atRest({ precision: "bfloat16" })];
    expect(layersApplied(module, input, how)).toEqual(["relu"]);
    const [folded, exact] = [module.apply(input, how), module.apply(input, atRest())];
    expect(folded.dtype).toBe("bfloat16");
    // 27 products of operands with an error of 2^-9 each, and the sum's own.
    expectClose(folded.to("float32"), exact, 2 ** -7);
  });

  test.each<[string, () => Module, Partial<Pass>]>([
    ["in training", network, { training: true }],
    ["with SQA after it", () => placeAfter(network(), { norm: quantizer() }), {}],
    ["with SQA between the two", () => placeAfter(network(), { conv: quantizer() }), {}],
    ["with binary weights", () => binarizeWeights(network(), { conv: binary() }), {}],
  ])("not %s", (_, make, change) => {
    expect(layersApplied(make(), input, atRest(change))).toEqual(["conv", "norm", "relu"]);
  });
});

test("blocks of SMALL are fused in bfloat16 too", () => {
  const { module } = small().build({ seed: 0, defenses: [sqa()] });
  const applied = layersApplied(module, normal("images", [1, 1, 28, 28]), {
    ...pass(1),
    precision: "bfloat16",
  });
  expect(applied.filter((name) => /^(conv|relu[123]|pool)/.test(name))).toEqual([]);
  expect(applied).toContain("fc1");
});

test("fusion is on again after a function that throws", () => {
  expect(() =>
    withoutFusion(() => {
      throw new Error("inside");
    }),
  ).toThrow("inside");
  const { module } = small().build({ seed: 0 });
  expect(layersApplied(module, normal("images", [1, 1, 28, 28]), pass(1))).not.toContain("conv1");
});
