import { describe, expect, test } from "vitest";
import { deriveSeed } from "../../../src/base/index.js";
import { countedUniform as reference } from "../../../src/base/philox.js";
import { placeAfter, quantizer } from "../../../src/defenses/index.js";
import {
  grad,
  imageIdRange,
  operators as ops,
  tensor,
  withoutHostAccess,
} from "../../../src/engine/index.js";
import { Dropout, isRandomized, Module, type Pass, ReLU, Sequential } from "../../../src/nn/index.js";

const seed = deriveSeed(4);
const pass = (first: number, count: number, change: Partial<Pass["noise"]> = {}, training = true): Pass => ({
  training,
  noise: { seed, draw: 2, imageIds: imageIdRange(first, count), ...change },
});
const ones = (count: number, ...shape: number[]) => ops.ones([count, ...shape]);

describe("dropout", () => {
  test("keeps an element where the keyed uniform of its stream is p or more, and scales it by 1 / (1 - p)", () => {
    const network = new Sequential({ relu: new ReLU(), drop: new Dropout(0.2) });
    const stream = 2 ** 29 + 2;
    const kept = [5, 6, 7].flatMap((image) =>
      Array.from({ length: 10 }, (_, i) =>
        reference(seed, { stream, draw: 2, image }, i) >= 0.2 ? 1.25 : 0,
      ),
    );
    expect(network.apply(ones(3, 2, 5), pass(5, 3)).toNumbers()).toEqual(kept);
  });

  test("leaves out the share p of the elements and keeps their mean", () => {
    const count = 100_000;
    for (const p of [0.05, 0.5, 0.9]) {
      const output = new Dropout(p).apply(ones(10, count / 10), pass(0, 10)).toNumbers();
      const dropped = output.filter((value) => value === 0).length / count;
      // Five standard errors.
      expect(Math.abs(dropped - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / count));
      for (const value of output) if (value !== 0) expect(value).toBeCloseTo(1 / (1 - p), 5);
    }
  });

  test("keeps the mean in bfloat16 too, to which 1 / (1 - p) is rounded for no element by itself", () => {
    // 1 / 0.9 in bfloat16 is 1.109375, so all outputs together would be off by 0.16 %.
    const given = ones(10, 1000)
      .mul(tensor(Float32Array.from({ length: 1000 }, (_, i) => 1 + i / 1000)))
      .to("bfloat16");
    const output = new Dropout(0.1).apply(given, pass(0, 10));
    expect(output.dtype).toBe("bfloat16");
    const [from, to] = [given, output].map((one) => one.to("float64").toNumbers());
    const ratios = to!.map((value, i) => value / from![i]!).filter((ratio) => ratio > 0);
    for (const ratio of ratios) expect(Math.abs(ratio * 0.9 - 1)).toBeLessThan(2 ** -8);
    const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
    // Single roundings cancel each other out: 2.5e-5 is left.
    expect(Math.abs(mean * 0.9 - 1)).toBeLessThan(3e-4);
  });

  test("gives an image the same in any batch, and something else in another draw", () => {
    const layer = new Dropout(0.5);
    const of = (first: number, count: number, draw = 2) =>
      layer.apply(ones(count, 3, 7), pass(first, count, { draw })).toNumbers();
    expect([...of(0, 1), ...of(1, 4), ...of(5, 2)]).toEqual(of(0, 7));
    expect(of(0, 7, 3)).not.toEqual(of(0, 7));
    const images = Array.from({ length: 7 }, (_, i) => of(i, 1).join());
    expect(new Set(images).size).toBe(7);
  });

  test("does nothing outside of training, so a network with it is not random there", () => {
    const layer = new Dropout(0.5);
    const input = ones(2, 4);
    expect(layer.apply(input, pass(0, 2, {}, false))).toBe(input);
    expect(isRandomized(new Sequential({ layer }))).toBe(false);
    expect(new Dropout(0).apply(input, pass(0, 2))).toBe(input);
  });

  test("passes back the gradient of the kept elements, scaled as they are", () => {
    const input = ones(2, 20).detach().requireGrad();
    const output = new Dropout(0.5).apply(input, pass(0, 2));
    expect(grad(output.sum(), [input])[0]!.toNumbers()).toEqual(output.toNumbers());
  });

  test("keeps the type of its input", () => {
    const layer = new Dropout(0.5);
    const [narrow, wide] = [ones(2, 8).to("bfloat16"), ones(2, 8)].map((input) =>
      layer.apply(input, pass(0, 2)),
    );
    expect(narrow!.dtype).toBe("bfloat16");
    expect(narrow!.toNumbers()).toEqual(wide!.toNumbers());
  });

  test("reads nothing back, and draws anew when the words of its seed change", () => {
    const layer = new Dropout(0.5);
    const words = tensor([seed.low, seed.high, 2], [3], "int64");
    const keyed = pass(0, 2, { seed: words, draw: 0 });
    const input = ones(2, 30);
    const drawn = () => withoutHostAccess(() => layer.apply(input, keyed)).toNumbers();
    const before = drawn();
    expect(before).toEqual(layer.apply(input, pass(0, 2)).toNumbers());
    words.write(BigInt64Array.from([seed.low, seed.high, 3], BigInt));
    expect(drawn()).toEqual(layer.apply(input, pass(0, 2, { draw: 3 })).toNumbers());
    expect(drawn()).not.toEqual(before);
  });

  test.each([-0.1, 1, Number.NaN, "0.5", undefined])("refuses p = %s", (p) => {
    expect(() => new Dropout(p as never)).toThrow("p must be in [0, 1), not");
  });

  test("refuses a batch that has another number of image ids", () => {
    expect(() => new Dropout(0.5).apply(ones(3, 4), pass(0, 1))).toThrow(
      "a batch of 3 images needs as many image ids, not 1",
    );
  });
});

describe("streams of layers", () => {
  /** Outcome of ones behind each of two layers of dropout. */
  class Both extends Module {
    readonly one = new Dropout(0.5);
    readonly relu = new ReLU();
    readonly other: Module = new Dropout(0.5);

    protected override forward(input: ReturnType<typeof ones>, how: Pass) {
      return ops.cat([this.one.apply(input, how), this.other.apply(this.relu.apply(input, how), how)], 1);
    }
  }
  const halves = (network: Module) => {
    const output = network.apply(ones(1, 40), pass(0, 1)).toNumbers();
    return [output.slice(0, 40), output.slice(40)];
  };

  test("differ from layer to layer", () => {
    const [one, other] = halves(new Both());
    expect(one).not.toEqual(other);
    expect(halves(new Both())).toEqual([one, other]);
  });

  test("stay where they are when quantizers are placed", () => {
    const plain = new Both();
    // The values are 0 and 2, the ends of the range: SQA keeps them.
    expect(halves(placeAfter(new Both(), { relu: quantizer() }))).toEqual(halves(plain));
  });

  test("belong to the network that is applied: parts that were used by themselves do not collide in a whole", () => {
    const [one, other] = [new Dropout(0.5), new Dropout(0.5)];
    const alone = [one, other].map((layer) => layer.apply(ones(1, 40), pass(0, 1)).toNumbers());
    expect(alone[0]).toEqual(alone[1]);
    const whole = Object.assign(new Both(), { one, other });
    const [first, second] = halves(whole);
    expect(first).not.toEqual(second);
  });

  test("are given to a layer that was added after the first pass, and to what is applied to an output", () => {
    const network = new Both();
    const [one] = halves(network);
    Object.assign(network, { other: new Dropout(0.5) });
    expect(halves(network)[1]).not.toEqual(one);
    const transformed = new Both();
    transformed.relu.outputTransforms.push(new Dropout(0.5));
    Object.assign(transformed, { other: new ReLU() });
    expect(halves(transformed)[0]).toEqual(one);
    expect(halves(transformed)[1]).not.toEqual(one);
  });

  test("cannot be given to a layer that is not found", () => {
    class Hidden extends Module {
      readonly #drop = new Dropout(0.5);

      protected override forward(input: ReturnType<typeof ones>, how: Pass) {
        return this.#drop.apply(input, how);
      }
    }
    expect(() => new Hidden().apply(ones(1, 4), pass(0, 1))).toThrow(
      "Dropout draws noise, and must lie in a plain field of its network",
    );
  });
});
