// The CUDA kernels, compiled for the CPU thread by thread, against the CPU's own: the same draws and the same
// bits.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  countedUniform,
  imageIdRange,
  type QuantizationRange,
  quantizationRanges,
  quantizeActivation,
  type Tensor,
  tensor,
} from "../../src/engine/index.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-cuda-on-host-"));
const program = join(folder, "kernels");
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const seed = { low: 3, high: 4 };
const draw = 5;
const stream = 1;
const key = [seed.low, seed.high, draw, stream];
/** The same key, its seed and what its draw is counted from behind a pointer. */
const pointedKey = [seed.low, seed.high, draw - 2, stream, 2];

beforeAll(() => {
  const flags = ["-std=c++20", "-O1", "-ffp-contract=off"];
  const folders = ["-I", at("cuda-on-host"), "-I", at("../../native")];
  const sources = ["-x", "c++", at("../../native/cuda/kernels.cu"), at("cuda-on-host/main.cc")];
  const { status, stderr } = spawnSync("g++", [...flags, ...folders, ...sources, "-o", program], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function onHost(words: readonly (string | number)[], ...inputs: readonly ArrayBufferView[]): Buffer {
  const input = Buffer.concat(
    inputs.map(({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength),
    ),
  );
  const { status, stdout } = spawnSync(program, words.map(String), { input, maxBuffer: 2 ** 28 });
  expect(status).toBe(0);
  return stdout;
}

const floats = (bytes: Buffer) => new Float32Array(new Uint8Array(bytes).buffer);
const idsOf = (images: number, first = 0) =>
  BigInt64Array.from({ length: images }, (_, i) => BigInt(first + i));

/** Values below zero too, all of them exact in bfloat16. */
function activations([images, channels, pixels]: readonly [number, number, number]): Float32Array {
  return Float32Array.from(
    { length: images * channels * pixels },
    (_, i) => Math.round(100 * Math.sin(i * 1.7)) / 64,
  );
}

/** The upper halves of floats that are exact in bfloat16. */
function bfloat16Bits(values: Float32Array): Uint16Array {
  return Uint16Array.from(
    new Uint32Array(values.buffer, values.byteOffset, values.length),
    (bits) => bits >>> 16,
  );
}

type Options = { lambda: number; range: QuantizationRange; source: "counted" | "nearest" };

function reference(h: Tensor, { lambda, range, source }: Options, firstId: number): Tensor {
  const noise = { seed, draw, imageIds: imageIdRange(firstId, h.shape[0]!) };
  const rounding = source === "nearest" ? "nearest" : "stochastic";
  return quantizeActivation(h, { lambda, range, rounding }, { noise, stream });
}

describe("the CUDA kernels", () => {
  test.each([
    [1, 1],
    [3, 5],
    [2, 4096],
    [5, 1030],
  ])("draw the CPU's uniforms: %d images of %d elements", (images, elements) => {
    const noise = { seed, draw, imageIds: imageIdRange(2 ** 32 - images, images) };
    const expected = countedUniform(noise, stream, [elements]).toArray();
    for (const words of [key, pointedKey]) {
      const drawn = onHost(["uniform", images, elements, ...words], idsOf(images, 2 ** 32 - images));
      expect(floats(drawn)).toEqual(expected);
    }
  });

  const sizes = [
    [3, 5, 21],
    [4, 8, 16],
    [2, 3, 6000],
    [70, 1, 33],
  ] as const;
  const options = quantizationRanges.flatMap((range) =>
    (["counted", "nearest"] as const).map((source) => ({ range, source, lambda: range === "image" ? 2 : 1 })),
  );
  test.each(sizes.flatMap((size) => options.map((option) => [size, option] as const)))(
    "quantize as the CPU does: %j, %j",
    (size, option) => {
      const [images, channels, pixels] = size;
      const h = activations(size);
      const words = (bfloat16: number, keyWords = key) => [
        "quantize",
        ...size,
        bfloat16,
        0,
        option.range,
        option.lambda,
        option.source,
        ...keyWords,
      ];
      const y = reference(tensor(h, [images, channels, pixels]), option, 7);
      const single = floats(onHost(words(0), idsOf(images, 7), h));
      expect(single).toEqual(y.toArray());
      expect(floats(onHost(words(0, pointedKey), idsOf(images, 7), h))).toEqual(y.toArray());
      const half = onHost(words(1), idsOf(images, 7), bfloat16Bits(h));
      expect(new Uint16Array(new Uint8Array(half).buffer)).toEqual(
        bfloat16Bits(y.to("bfloat16").to("float32").toArray() as Float32Array),
      );
    },
  );

  test.each(options.filter(({ range }) => range !== "channel"))(
    "quantize channels-last with the same draws: %j",
    (option) => {
      const [images, channels, height, width] = [3, 6, 4, 8];
      const h = tensor(activations([images, channels, height * width]), [images, channels, height, width]);
      const stored = h.permute([0, 2, 3, 1]).contiguous();
      const words = [
        "quantize",
        images,
        channels,
        height * width,
        0,
        1,
        option.range,
        option.lambda,
        option.source,
        ...key,
      ];
      const last = floats(onHost(words, idsOf(images), stored.toArray()));
      const expected = reference(h, option, 0).permute([0, 2, 3, 1]).contiguous();
      expect(last).toEqual(expected.toArray());
    },
  );

  test("take given uniforms, and leave constant and broken images as the CPU does", () => {
    const shape = [4, 2, 9];
    const h = activations([4, 2, 9]);
    h.fill(0.5, 18, 36);
    h[40] = Number.NaN;
    h[60] = Number.POSITIVE_INFINITY;
    const u = Float32Array.from(h, (_, i) => ((i * 7919) % 1000) / 1000);
    const y = floats(onHost(["quantize", ...shape, 0, 0, "image", 3, "given", ...key], idsOf(4), h, u));
    const option = { lambda: 3, range: "image", rounding: "stochastic" } as const;
    const expected = quantizeActivation(tensor(h, shape), option, { uniforms: tensor(u, shape) }).toArray();
    expect(y).toEqual(expected);
    expect(y.subarray(18, 36).every((value) => value === 0.5)).toBe(true);
    expect(y.subarray(36).every(Number.isNaN)).toBe(true);
  });

  test("an image id that no draw belongs to gives NaN, to its image alone", () => {
    const ids = BigInt64Array.of(0n, -1n, 2n ** 32n);
    const u = floats(onHost(["uniform", 3, 6, ...key], ids));
    const y = floats(
      onHost(["quantize", 3, 1, 6, 0, 0, "image", 1, "counted", ...key], ids, activations([3, 1, 6])),
    );
    for (const values of [u, y]) {
      expect(values.subarray(0, 6).some(Number.isNaN)).toBe(false);
      expect(values.subarray(6).every(Number.isNaN)).toBe(true);
    }
  });
});
