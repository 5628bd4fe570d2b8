import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import {
  type BlockQuantization,
  convBlock,
  countedNormal,
  enableGrad,
  grad,
  imageIdRange,
  noGrad,
  operators as ops,
  quantizeActivation,
  scope,
  setThreads,
  type Tensor,
  tensor,
  threads,
} from "../../src/engine/index.js";
import { liveCount } from "../live-count.js";
import { bfloat16Block } from "./bfloat16-block.js";

type Shape = { in: number; out: number; side: number | [number, number]; batch: number };

const normal = (name: string, shape: readonly number[]) =>
  countedNormal(
    { seed: deriveSeed(7, name), draw: 0, imageIds: imageIdRange(0, shape[0]!) },
    0,
    shape.slice(1),
  );

function block({ in: inputs, out, side, batch }: Shape) {
  const sides = typeof side === "number" ? [side, side] : side;
  return {
    input: normal("input", [batch, inputs, ...sides]).requireGrad(),
    weight: normal("weight", [out, inputs, 3, 3])
      .mul(1 / Math.sqrt(9 * inputs))
      .detach()
      .requireGrad(),
    bias: normal("bias", [out, 1]).reshape([out]).mul(0.1).detach().requireGrad(),
    seed: normal("gradient", [batch, out, Math.floor(sides[0]! / 2), Math.floor(sides[1]! / 2)]),
  };
}

/** Whole numbers, of which sums are exact in any order, with many equal values. */
function wholeBlock(shape: Shape) {
  const made = block(shape);
  const whole = (t: Tensor, scale: number) => t.detach().mul(scale).round().requireGrad();
  const { input, weight, bias, seed } = made;
  return {
    input: whole(input, 2),
    weight: whole(weight, 6),
    bias: whole(bias, 10),
    seed: seed.mul(3).round(),
  };
}

type Block = ReturnType<typeof block>;

function separately({ input, weight, bias }: Omit<Block, "seed">, quantization?: BlockQuantization): Tensor {
  let hidden = ops.conv2d(input, weight, bias, [1, 1], [1, 1]).relu();
  if (quantization) {
    const { lambda, source } = quantization;
    hidden = quantizeActivation(
      hidden,
      { lambda, range: "image", rounding: source ? "stochastic" : "nearest" },
      source,
    );
  }
  return ops.maxPool2d(hidden, [2, 2]);
}

const together = ({ input, weight, bias }: Omit<Block, "seed">, quantization?: BlockQuantization) =>
  convBlock(input, weight, bias, { quantization });

const inBfloat16 = ({ input, weight, bias }: Omit<Block, "seed">, quantization?: BlockQuantization) =>
  convBlock(input, weight, bias, { quantization, bfloat16: true });

function valuesAndGradients(b: Block, forward: typeof together, quantization?: BlockQuantization) {
  return scope(() => {
    const output = forward(b, quantization);
    const gradients = grad(output.mul(b.seed.to(output.dtype)).sum(), [b.input, b.weight, b.bias]);
    return [output, ...gradients].map((t) => t!.toNumbers());
  });
}

const names = ["output", "input gradient", "weight gradient", "bias gradient"];

function expectClose(actual: number[], expected: number[], name: string, tolerance = 1e-5): void {
  expect(actual.length, name).toBe(expected.length);
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const worst = actual.reduce((largest, value, i) => Math.max(largest, Math.abs(value - expected[i]!)), 0);
  expect(worst, name).toBeLessThanOrEqual(tolerance * scale);
}

const shapes: Shape[] = [
  { in: 1, out: 16, side: 28, batch: 3 },
  { in: 16, out: 32, side: 14, batch: 3 },
  { in: 32, out: 64, side: 7, batch: 3 },
  { in: 1, out: 64, side: 28, batch: 2 },
  { in: 64, out: 128, side: 14, batch: 2 },
  { in: 128, out: 256, side: 7, batch: 2 },
  { in: 8, out: 8, side: 2, batch: 1 },
  { in: 8, out: 24, side: [3, 5], batch: 5 },
  { in: 1, out: 8, side: [2, 3], batch: 1 },
  { in: 24, out: 40, side: [9, 4], batch: 17 },
  { in: 1, out: 24, side: [13, 11], batch: 9 },
];
const label = (s: Shape) => `${s.in} -> ${s.out} channels, ${s.side}, batch ${s.batch}`;

const source = (batch: number) => ({
  noise: { seed: deriveSeed(3), draw: 5, imageIds: imageIdRange(100, batch) },
  stream: 2,
});

describe("a block equals convolution, ReLU, SQA and pooling one by one", () => {
  test.each(shapes.map((s) => [label(s), s] as const))("in float64: %s", (_, shape) => {
    const b = block(shape);
    const wide = Object.fromEntries(
      Object.entries(b).map(([name, t]) => [name, t.detach().to("float64").requireGrad()]),
    ) as Block;
    const expected = valuesAndGradients(wide, separately);
    for (const [i, values] of valuesAndGradients(b, together).entries())
      expectClose(values, expected[i]!, names[i]!);
  });

  test.each(shapes.map((s) => [label(s), s] as const))(
    "exactly, where sums are exact, with ties: %s",
    (_, shape) => {
      const b = wholeBlock(shape);
      const expected = valuesAndGradients(b, separately);
      for (const [i, values] of valuesAndGradients(b, together).entries())
        expectClose(values, expected[i]!, names[i]!, 0);
    },
  );

  test.each(shapes.flatMap((s) => [1, 2, 3].map((lambda) => [label(s), lambda, s] as const)))(
    "exactly, with the same draws: %s, lambda %d",
    (_, lambda, shape) => {
      const b = wholeBlock(shape);
      const quantization = { lambda, source: source(shape.batch) };
      const expected = valuesAndGradients(b, separately, quantization);
      for (const [i, values] of valuesAndGradients(b, together, quantization).entries()) {
        expectClose(values, expected[i]!, names[i]!, i === 0 ? 0 : 1e-6);
      }
    },
  );

  test.each(shapes.map((s) => [label(s), s] as const))("exactly, rounding to nearest: %s", (_, shape) => {
    const b = wholeBlock(shape);
    const [actual, expected] = [together, separately].map((run) => valuesAndGradients(b, run, { lambda: 2 }));
    for (const [i, values] of actual!.entries())
      expectClose(values, expected![i]!, names[i]!, i === 0 ? 0 : 1e-6);
  });

  test.each([
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    [Number.NaN, { lambda: 1, source: source(2) }],
    [Number.POSITIVE_INFINITY, { lambda: 1 }],
  ])("where the input holds %d", (value, quantization) => {
    for (const inputs of [1, 8]) {
      const b = block({ in: inputs, out: 8, side: 9, batch: 2 });
      const spoiled = b.input.toNumbers();
      spoiled[40] = value;
      const input = tensor(spoiled, [2, inputs, 9, 9]);
      const classes = (t: Tensor) => t.toNumbers().map((v) => (Number.isFinite(v) ? 0 : v));
      const expected = classes(separately({ ...b, input }, quantization));
      expect(classes(together({ ...b, input }, quantization))).toEqual(expected);
      expect(expected.some((v) => v !== 0)).toBe(true);
    }
  });

  test("takes views and any layout", () => {
    const { input, weight, bias, seed } = block({ in: 8, out: 16, side: 6, batch: 4 });
    const views = {
      input: input.detach().contiguous("channelsLast").permute([0, 1, 3, 2]),
      weight: weight.detach().permute([0, 1, 3, 2]),
      bias: ops.stack([bias.detach(), bias.detach()], 1).select(1, 0),
    };
    for (const view of Object.values(views)) view.requireGrad();
    const expected = valuesAndGradients({ ...views, seed }, separately);
    for (const [i, values] of valuesAndGradients({ ...views, seed }, together).entries()) {
      expectClose(values, expected[i]!, names[i]!);
    }
  });

  test("of no images", () => {
    const [output, byInput, byWeight, byBias] = valuesAndGradients(
      block({ in: 8, out: 16, side: 6, batch: 0 }),
      together,
    );
    expect([output, byInput]).toEqual([[], []]);
    expect(new Set([...byWeight!, ...byBias!])).toEqual(new Set([0]));
  });

  test("in gradients of gradients", () => {
    const b = block({ in: 8, out: 8, side: 5, batch: 2 });
    const second = (forward: typeof together) => {
      const [g] = grad(forward(b).square().sum(), [b.input], { createGraph: true });
      return grad(g!.square().sum(), [b.input, b.weight]).map((t) => t!.toNumbers());
    };
    const expected = second(separately);
    for (const [i, values] of second(together).entries()) expectClose(values, expected[i]!, names[i]!);
  });
});

describe("a block in bfloat16", () => {
  const rounding: Shape[] = [
    { in: 16, out: 32, side: 14, batch: 3 },
    { in: 32, out: 64, side: 7, batch: 3 },
    { in: 64, out: 128, side: 14, batch: 2 },
    { in: 48, out: 24, side: [9, 4], batch: 5 },
    { in: 96, out: 40, side: 5, batch: 9 },
    { in: 128, out: 256, side: 7, batch: 2 },
  ];

  test.each(rounding.map((s) => [label(s), s] as const))(
    "multiplies what is rounded to it: %s",
    (_, shape) => {
      const b = block(shape);
      const rounded = (t: Tensor) => t.detach().to("bfloat16").to("float64").requireGrad();
      const bias = b.bias.detach().to("float64").requireGrad();
      const wide = { input: rounded(b.input), weight: rounded(b.weight), bias };
      // Only what is multiplied is rounded, so the gradient by the bias is not.
      const expected = valuesAndGradients({ ...wide, seed: rounded(b.seed).detach() }, separately);
      expected[3] = valuesAndGradients({ ...wide, seed: b.seed.to("float64") }, separately)[3]!;
      const actual = valuesAndGradients(b, inBfloat16);
      for (const [i, values] of actual.entries()) expectClose(values, expected[i]!, names[i]!);
      expect(actual[0]).not.toEqual(valuesAndGradients(b, together)[0]);
    },
  );

  test.each(rounding.map((s) => [label(s), s] as const))("exactly, where sums are exact: %s", (_, shape) => {
    const b = wholeBlock(shape);
    const quantization = { lambda: 2, source: source(shape.batch) };
    const expected = valuesAndGradients(b, separately, quantization);
    for (const [i, values] of valuesAndGradients(b, inBfloat16, quantization).entries()) {
      expectClose(values, expected[i]!, names[i]!, i === 0 ? 0 : 1e-6);
    }
  });

  test.each([1, 8, 24])("of %d input channels is one in float32", (inputs) => {
    const b = block({ in: inputs, out: 16, side: 8, batch: 2 });
    expect(valuesAndGradients(b, inBfloat16)).toEqual(valuesAndGradients(b, together));
  });

  test("has the same bits for any number of threads", () => {
    const before = threads();
    const b = block({ in: 32, out: 32, side: 14, batch: 37 });
    const [one, two] = [1, 2].map((count) => {
      setThreads(count);
      return valuesAndGradients(b, inBfloat16, { lambda: 2, source: source(37) });
    });
    setThreads(before);
    expect(two).toEqual(one);
  });

  test.each(["avx2", "default"])(
    "is the same but for the order of sums where %s has no such arithmetic",
    (capability) => {
      const file = fileURLToPath(new URL("bfloat16-block.ts", import.meta.url));
      const env = { ...process.env, ATEN_CPU_CAPABILITY: capability };
      const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", file, "print"], {
        env,
        encoding: "utf8",
      });
      expect(stderr).toBe("");
      const elsewhere = JSON.parse(stdout) as number[][];
      for (const [i, values] of bfloat16Block().entries()) expectClose(values, elsewhere[i]!, names[i]!);
    },
  );

  test("stops no gradient of infinity or NaN, and multiplies none that pooling stops", () => {
    const b = block({ in: 16, out: 8, side: 6, batch: 2 });
    const spoiled = b.input.toNumbers();
    spoiled[40] = Number.POSITIVE_INFINITY;
    const input = tensor(spoiled, [2, 16, 6, 6]).requireGrad();
    const classes = (values: number[]) => values.map((v) => (Number.isFinite(v) ? 0 : v));
    const expected = valuesAndGradients({ ...b, input }, together).map(classes);
    expect(valuesAndGradients({ ...b, input }, inBfloat16).map(classes)).toEqual(expected);
  });

  test("in gradients of gradients", () => {
    const b = wholeBlock({ in: 16, out: 8, side: 5, batch: 2 });
    const second = (forward: typeof together, { input, weight, bias }: Omit<Block, "seed">) => {
      const [g] = grad(forward({ input, weight, bias }).square().sum(), [input], { createGraph: true });
      return grad(g!.square().sum(), [input, weight]).map((t) => t!.toNumbers());
    };
    const expected = second(together, b);
    for (const [i, values] of second(inBfloat16, b).entries())
      expectClose(values, expected[i]!, names[i]!, 0.01);
  });
});

describe("a block's bits do not depend", () => {
  const cases: Shape[] = [
    { in: 1, out: 16, side: 28, batch: 128 },
    { in: 16, out: 32, side: 14, batch: 37 },
  ];
  test.each(cases.map((s) => [label(s), s] as const))("on the number of threads: %s", (_, shape) => {
    const before = threads();
    const b = block(shape);
    const [one, two, four] = [1, 2, 4].map((count) => {
      setThreads(count);
      return valuesAndGradients(b, together, { lambda: 2, source: source(shape.batch) });
    });
    setThreads(before);
    expect(two).toEqual(one);
    expect(four).toEqual(one);
  });

  test("on which of the gradients are asked for", () => {
    const b = block({ in: 8, out: 16, side: 7, batch: 11 });
    const all = valuesAndGradients(b, together).slice(1);
    for (const [i, wanted] of [b.input, b.weight, b.bias].entries()) {
      const [alone] = grad(together(b).mul(b.seed).sum(), [wanted]);
      expect(alone!.toNumbers()).toEqual(all[i]);
    }
  });

  test("on the rest of the batch", () => {
    const b = block({ in: 8, out: 16, side: 10, batch: 12 });
    const whole = together(b, { lambda: 1, source: source(12) });
    const part = together(
      { ...b, input: b.input.slice(0, 5, 9) },
      {
        lambda: 1,
        source: { ...source(12), noise: { ...source(12).noise, imageIds: imageIdRange(105, 4) } },
      },
    );
    expect(part.toNumbers()).toEqual(whole.slice(0, 5, 9).toNumbers());
  });
});

describe("a block", () => {
  test("keeps nothing", () => {
    const b = block({ in: 8, out: 16, side: 8, batch: 3 });
    const before = liveCount();
    scope(() => {
      valuesAndGradients(b, together, { lambda: 1, source: source(3) });
      noGrad(() => together(b));
      enableGrad(() => together(b));
    });
    // The ids of `source` are outside of the scope of the values.
    expect(liveCount()).toBe(before);
  });

  test("needs no gradient where none of its arguments does", () => {
    const b = block({ in: 8, out: 8, side: 4, batch: 1 });
    expect(noGrad(() => together(b)).requiresGrad).toBe(false);
    expect(
      together({ input: b.input.detach(), weight: b.weight.detach(), bias: b.bias.detach() }).requiresGrad,
    ).toBe(false);
    expect(together(b).requiresGrad).toBe(true);
  });

  test("refuses what it does not take", () => {
    const { input, weight, bias } = block({ in: 8, out: 8, side: 4, batch: 2 });
    expect(() => convBlock(input.to("float64"), weight, bias)).toThrow(
      new TypeError("input must be float32 on the CPU, not float64 on cpu"),
    );
    expect(() => convBlock(input, weight, undefined as unknown as Tensor)).toThrow(
      new TypeError("bias must be a tensor, not undefined"),
    );
    expect(() => convBlock(input.slice(1, 0, 3), weight, bias)).toThrow(
      /not \[2, 3, 4, 4\], \[8, 8, 3, 3\], \[8\]$/,
    );
    expect(() => convBlock(input.slice(2, 0, 1), weight, bias)).toThrow(RangeError);
    expect(() => convBlock(input, weight, bias, { quantization: { lambda: 0 } })).toThrow(
      new RangeError("lambda must be an integer in 1 .. 2^20, not 0"),
    );
    const sourced = (given: BlockQuantization["source"]) => ({ quantization: { lambda: 1, source: given! } });
    expect(() => convBlock(input, weight, bias, sourced(source(3)))).toThrow(
      /image ids must be int64 of shape \[2\]/,
    );
    expect(() => convBlock(input, weight, bias, sourced({ ...source(2), stream: -1 }))).toThrow(
      /^stream must be/,
    );
  });
});
