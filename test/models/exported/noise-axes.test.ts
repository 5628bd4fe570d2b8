import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { scope } from "../../../src/engine/index.js";
import type { Pt2Argument, Pt2Program, Pt2Size } from "../../../src/files/index.js";
import { rowsOfFixed, rowsOfFree } from "../../../src/models/exported/aten/noise-rows.js";
import { modelFromFile } from "../../../src/models/index.js";
import { bytes, int, model, tensor } from "../../files/onnx/onnx-bytes.js";
import { images, noiseOf } from "./fixtures.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-noise-axes-"));
afterAll(() => rmSync(folder, { recursive: true }));

const node = (operator: string, inputs: readonly string[], made: string) =>
  bytes(1, [...inputs.flatMap((input) => bytes(1, input)), ...bytes(2, made), ...bytes(4, operator)]);

/** ONNX file of images (N, 1, 4, 4), whose weight (16, 4) is noisy, and the images themselves. */
function noisyWeight(batch: number | undefined): string {
  const sides = [batch, 1, 4, 4].flatMap((side) =>
    bytes(1, side === undefined ? bytes(2, "n") : int(1, side)),
  );
  const type = bytes(1, [...int(1, 1), ...bytes(2, sides)]);
  const values = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
  const file = model(
    node("Flatten", ["x"], "f"),
    node("RandomNormalLike", ["f"], "p"),
    node("Add", ["f", "p"], "g"),
    node("RandomNormalLike", ["w"], "r"),
    node("Add", ["w", "r"], "v"),
    node("MatMul", ["g", "v"], "y"),
    tensor("w", 1, [16, 4], bytes(9, [...new Uint8Array(values.buffer)])),
    bytes(11, [...bytes(1, "x"), ...bytes(2, type)]),
    bytes(12, bytes(1, "y")),
  );
  const path = join(folder, `noisy-${batch ?? "free"}.onnx`);
  writeFileSync(path, file);
  return path;
}

describe("noise of an ONNX file", () => {
  it.each([undefined, 16, 3])(
    "in a batch of %s is an image's own, and the weight's the same for all",
    async (batch) => {
      const built = (await modelFromFile(noisyWeight(batch))).build({ seed: 0 });
      const logits = (count: number, first = 0) =>
        scope(() => {
          const seen = images(first + count, [1, 4, 4]).slice(0, first, first + count);
          return built.classifier().logits(seen, noiseOf(count, { first })).toNumbers();
        });
      const all = logits(17);
      for (const [count, first] of [
        [16, 0],
        [3, 0],
        [1, 0],
        [16, 1],
        [2, 9],
      ] as const)
        for (const [i, value] of logits(count, first).entries())
          expect(value, `${count} from ${first}`).toBeCloseTo(all[4 * first + i]!, 4);
      built.module.dispose();
    },
  );
});

describe("rows of values of a .pt2 file", () => {
  const symbol = "Symbol('s7', positive=True, integer=True)";
  const sizes: Readonly<Record<string, Pt2Size>> = {
    image: { symbol },
    twice: { symbol: `Mul(Integer(2), ${symbol})` },
    more: { symbol: `Add(${symbol}, Integer(3))` },
    weight: 4,
    made: 4,
    written: 4,
    windows: 8,
  };
  const value = (name: string): Pt2Argument => ({ kind: "tensor", name });
  const step = (made: string, ...inputs: string[]) => ({
    name: made,
    target: "torch.ops.aten.rand_like.default",
    inputs: inputs.map((name) => ({ name: "self", value: value(name) })),
    outputs: [value(made)],
  });
  const program = {
    nodes: [step("made", "x"), step("written"), step("windows", "made"), step("noisy", "weight")],
    formOf: (name: string) => {
      const first = sizes[name] ?? (name === "noisy" ? 4 : undefined);
      return first === undefined ? undefined : { type: "float32", sizes: [first, 8] };
    },
  } as unknown as Pt2Program;

  it("are images where their number is the symbol, or so many times it", () => {
    const isPerImage = rowsOfFree(program, symbol);
    expect(["image", "twice", "more", "weight", "none"].filter(isPerImage)).toEqual(["image", "twice"]);
  });

  it("are images in a fixed batch where images have a part, and where a file writes the number", () => {
    const isPerImage = rowsOfFixed(program, "x", 4);
    expect(["made", "written", "windows", "noisy", "weight"].filter(isPerImage)).toEqual(["made", "written"]);
  });
});
