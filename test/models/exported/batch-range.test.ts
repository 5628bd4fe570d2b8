import { describe, expect, it } from "vitest";
import { scope } from "../../../src/engine/index.js";
import type { Pt2Program, Pt2Size } from "../../../src/files/index.js";
import { batchRange } from "../../../src/models/exported/aten/batch-range.js";
import { readGraphFile } from "../../../src/models/exported/graph-file.js";
import { difference, expected, fixture, images, load, noiseOf, numbers, passOf } from "./fixtures.js";

const tolerance = 1e-5;

describe("numbers of images that a .pt2 file takes at once", () => {
  const symbol = "Symbol('s7', positive=True, integer=True)";
  const ranges = new Map([
    ["s7", { least: 2, most: 8 }],
    ["4*s7", { least: 4, most: 32 }],
    ["s8", { least: 0, most: Number.POSITIVE_INFINITY }],
    ["s9", { least: 5, most: 4 }],
  ]);
  const rangeOf = (batch: Pt2Size) => batchRange({ ranges } as unknown as Pt2Program, batch);
  const written = (text: string) => rangeOf({ symbol: text });

  it.each<[Pt2Size, number, number]>([
    [3, 3, 3],
    [{ symbol }, 2, 8],
    [{ symbol: `Mul(Integer(4), ${symbol})` }, 8, 8],
    [{ symbol: `Add(${symbol}, Integer(3))` }, 5, 5],
    [{ symbol: `Add(Mul(Integer(2), ${symbol}), Integer(1))` }, 5, 5],
    [{ symbol: "Symbol('s8', positive=True, integer=True)" }, 1, 4096],
    [{ symbol: "Symbol('s1', positive=True, integer=True)" }, 1, 4096],
  ])("%j", (batch, least, most) => {
    expect(rangeOf(batch)).toEqual({ least, most });
  });

  it("are refused where there are none", () => {
    expect(() => written("Symbol('s9', integer=True)")).toThrow("it takes 5 to 4 images at once");
    expect(() => rangeOf(5000)).toThrow("it takes 5000 images at once, more than 4096");
    expect(() => written(`Mul(Integer(4096), ${symbol})`)).toThrow("it takes 8192 images at once");
  });

  it("are those of the file", () => {
    const batchOf = (name: string) => readGraphFile(fixture(name)).graph.batch;
    expect(batchOf("squeezed")).toEqual({ least: 2, most: 16 });
    expect(batchOf("plain")).toEqual({ least: 1, most: 64 });
    expect(batchOf("layers-static")).toEqual({ least: 3, most: 3 });
    expect(batchOf("fours").least).toBe(batchOf("fours").most);
    expect(batchOf("fours").least % 4).toBe(0);
  });
});

describe("images beside the numbers that a .pt2 file takes", () => {
  it("have PyTorch's logits and gradients: five in batches of four of a file for two or more", async () => {
    const model = await load("squeezed");
    const { logits, gradient } = passOf(model, 5);
    expect(difference(logits, numbers(expected.squeezed!.logits!))).toBeLessThan(tolerance);
    expect(difference(gradient, numbers(expected.squeezed!.gradient!))).toBeLessThan(tolerance);
    const built = model.build({ seed: 0 });
    const parts = [0, 4].flatMap((first) =>
      scope(() => {
        const count = first === 0 ? 4 : 1;
        const given = images(5, model.inputShape).slice(0, first, first + count);
        return built.classifier().logits(given, noiseOf(count, { first })).toNumbers();
      }),
    );
    expect(difference(Float32Array.from(parts), logits)).toBeLessThan(tolerance);
    built.module.dispose();
  });

  it("have PyTorch's logits and gradients: 21 of a file that takes multiples of four", async () => {
    const { logits, gradient } = passOf(await load("fours"), 21);
    const wanted = [expected.fours!.logits!, expected.fours!.gradient!].map(numbers);
    expect(difference(logits, wanted[0]!.slice(0, 21 * 5))).toBeLessThan(tolerance);
    expect(difference(gradient, wanted[1]!.slice(0, 21 * 64))).toBeLessThan(tolerance);
  });
});
