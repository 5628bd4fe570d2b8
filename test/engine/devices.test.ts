import { describe, expect, test } from "vitest";
import { deviceNamed } from "../../src/engine/device/device-name.js";
import {
  captureGraph,
  checkDevice,
  convBlockSupports,
  countedUniform,
  imageIdRange,
  operators as ops,
  quantizationRanges,
  quantizeActivation,
  type Tensor,
  tensor,
  versions,
} from "../../src/engine/index.js";

const without = { libtorch: "2.13.0+cpu", cuda: "none", cudaDevices: 0 } as const;
const two = { libtorch: "2.14.1+cu130", cuda: "kernels", cudaDevices: 2 } as const;

describe("a device's name", () => {
  test("is completed", () => {
    expect(deviceNamed("cpu", without)).toBe("cpu");
    expect(deviceNamed("cuda", two)).toBe("cuda:0");
    expect(deviceNamed("cuda:1", two)).toBe("cuda:1");
  });

  test.each([
    ["gpu", two, TypeError, "device must be cpu, cuda or cuda:N, not gpu"],
    ["cuda:x", two, TypeError, "not cuda:x"],
    ["cuda", without, RangeError, "libtorch 2.13.0+cpu is built without CUDA"],
    ["cuda:0", { ...two, cudaDevices: 0 }, RangeError, "finds no CUDA device"],
    ["cuda:2", two, RangeError, "this machine has cuda:0 .. cuda:1"],
    ["cuda:1", { ...two, cudaDevices: 1 }, RangeError, "this machine has cuda:0$"],
  ] as const)("that is not there is refused with the reason: %s", (name, abilities, type, message) => {
    expect(() => deviceNamed(name, abilities)).toThrow(type);
    expect(() => deviceNamed(name, abilities)).toThrow(new RegExp(message.replaceAll("+", "\\+")));
  });

  test("is checked before a tensor is moved", () => {
    const x = tensor([1, 2]);
    expect(x.to({ device: "cpu" }).device).toBe("cpu");
    expect(x.to({ dtype: "float64" }).dtype).toBe("float64");
    expect(x.to({ device: "cpu", dtype: "bfloat16" }).dtype).toBe("bfloat16");
    expect(() => x.to({ device: "gpu" })).toThrow(TypeError);
    expect(() => x.to({ device: "cuda:99" })).toThrow(RangeError);
    expect(() => x.to(null as unknown as "float32")).toThrow(TypeError);
    expect(checkDevice("cpu")).toBe("cpu");
  });
});

test("the fused convolution block is not chosen on another device", () => {
  const like = (shape: readonly number[], device: string) => ({ dtype: "float32", device, shape }) as Tensor;
  const block = (device: string) =>
    convBlockSupports(like([2, 8, 6, 6], device), like([8, 8, 3, 3], device), like([8], device));
  expect(block("cpu")).toBe(true);
  expect(block("cuda:0")).toBe(false);
});

const { cuda, cudaDevices } = versions();
const absent = cudaDevices === 0 ? "no CUDA device" : cuda !== "kernels" ? "no CUDA kernels" : undefined;

// Where there is a device, its results are the CPU's.
describe.skipIf(absent !== undefined)(
  `on a CUDA device${absent === undefined ? "" : ` (skipped: ${absent})`}`,
  () => {
    const device = "cuda:0";
    const seed = { low: 3, high: 4 };
    const noiseOf = (imageIds: Tensor) => ({ noise: { seed, draw: 2, imageIds }, stream: 1 });
    const wave = (shape: number[]) =>
      tensor(
        Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 1.7)),
        shape,
      );

    test("uniforms have the same bits", () => {
      const ids = imageIdRange(5, 7);
      const { noise } = noiseOf(ids);
      const there = countedUniform({ ...noise, imageIds: ids.to({ device }) }, 1, [3, 33, 5]);
      expect(there.device).toBe(device);
      expect(there.toArray()).toEqual(countedUniform(noise, 1, [3, 33, 5]).toArray());
    });

    test.each(
      quantizationRanges.flatMap((range) =>
        (["stochastic", "nearest"] as const).flatMap((rounding) =>
          (
            [
              [3, 5, 7, 3],
              [4, 8, 16, 16],
              [2, 16, 64, 64],
            ] as const
          ).map((shape) => ({ range, rounding, shape })),
        ),
      ),
    )(
      "quantized values have the same bits, in any layout and with ids on either side: %j",
      ({ shape, ...option }) => {
        const [h, ids] = [wave([...shape]), imageIdRange(9, shape[0])];
        const expected = quantizeActivation(h, { lambda: 2, ...option }, noiseOf(ids)).toArray();
        for (const input of [h, h.contiguous("channelsLast")]) {
          for (const imageIds of [ids, ids.to({ device })]) {
            const y = quantizeActivation(input.to({ device }), { lambda: 2, ...option }, noiseOf(imageIds));
            expect(y.device).toBe(device);
            expect(y.toArray()).toEqual(expected);
          }
        }
      },
    );

    test("a captured graph reads its tensors anew at each replay, and draws by the words that it finds", () => {
      const ids = imageIdRange(5, 3).to({ device });
      const words = ops.zeros([3], "int64", device);
      const sum = ops.zeros([3, 7], "float32", device);
      const work = () => {
        const drawn = countedUniform({ seed: words, draw: 1, imageIds: ids }, 2, [7]);
        sum.add_(drawn);
        return [drawn.mul(2)];
      };
      // The first time a kernel is used its module is loaded.
      work();
      sum.zero_();
      const graph = captureGraph(device, work);
      expect(sum.toNumbers().every((value) => value === 0)).toBe(true);
      let total = ops.zeros([3, 7], "float32");
      for (const first of [0, 1, 5]) {
        words.write(BigInt64Array.of(BigInt(seed.low), BigInt(seed.high), BigInt(first)));
        graph.replay();
        const expected = countedUniform({ seed, draw: first + 1, imageIds: imageIdRange(5, 3) }, 2, [7]);
        expect(graph.results[0]!.toArray()).toEqual(expected.mul(2).toArray());
        total = total.add(expected);
      }
      expect(sum.toArray()).toEqual(total.toArray());
      expect(() => captureGraph(device, () => [sum.sum().to({ device: "cpu" })])).toThrow(
        "moved to another device",
      );
      expect(sum.toArray()).toEqual(total.toArray());
      graph.dispose();
    });

    test("bfloat16 is quantized with float32's arithmetic", () => {
      const h = wave([4, 8, 8, 8]).to("bfloat16");
      const option = { lambda: 2, range: "image", rounding: "stochastic" } as const;
      const expected = quantizeActivation(h.to("float32"), option, noiseOf(imageIdRange(0, 4))).to(
        "bfloat16",
      );
      const y = quantizeActivation(h.to({ device }), option, noiseOf(imageIdRange(0, 4)));
      expect([y.dtype, y.toArray()]).toEqual(["bfloat16", expected.toArray()]);
    });
  },
);
