import { spawnSync } from "node:child_process";
import { describe, expect, it, test, vi } from "vitest";
import { networks } from "../../bench/shared/networks.js";
import { ratioOf, spreadOf } from "../../bench/shared/statistics.js";
import { forwardMultiplyAdds } from "../../bench/steps/arithmetic.js";
import { type Contender, contendersOf } from "../../bench/steps/contenders.js";
import { trainingImages } from "../../bench/steps/images.js";
import { benchOptions } from "../../bench/steps/options.js";
import { type BenchResult, benchMarkdown } from "../../bench/steps/report.js";
import { summarize } from "../../bench/steps/summary.js";
import { placedQuantizers, sqa } from "../../src/defenses/index.js";

const program = new URL("../../bench/steps/bench.ts", import.meta.url).pathname;

function bench(...words: string[]) {
  return spawnSync(process.execPath, ["--import", "tsx", program, ...words], { encoding: "utf8" });
}

test("the benchmark runs, and says why there are no peers", () => {
  const brief = ["--quick", "--only", "small", "--batch", "4", "--images", "16", "--threads", "1"];
  const { stdout, stderr, status } = bench(...brief, "--json", "--python", "no-such-python");
  expect(status, stderr).toBe(0);
  const result = JSON.parse(stdout) as BenchResult;
  expect(result.engines).toMatchObject({
    ours: expect.stringMatching(/^libtorch \d/),
    PyTorch: "not measured: no-such-python cannot be run (PYTHON or --python names another interpreter)",
  });
  expect(result.peaks.float32).toBeGreaterThan(0);
  const [small] = result.networks;
  expect(
    small!.contenders.map(({ step, side, form, samples }) => [step, side, form, samples.length]),
  ).toEqual(
    ["standard", "fgsm", "fgsm + sqa"].flatMap((step) => [
      [step, "ours", "float32", 1],
      [step, "ours", "bfloat16", 1],
    ]),
  );
  for (const { seconds, memory, peakShare } of small!.contenders) {
    expect(Math.min(seconds!.median, memory!, peakShare!)).toBeGreaterThan(0);
  }
  expect(small!.ratios.map(({ name }) => name)).toEqual(
    ["float32", "bfloat16"].flatMap((form) => [
      `ours, ${form}: fgsm + sqa over fgsm`,
      `ours, ${form}: fgsm over standard`,
    ]),
  );
  expect(small!.images).toBe("the first 16 training images of mnist");
});

test("the report of ResNet-18 says what it was trained on and what its passes do", () => {
  const engines = { ours: "libtorch", PyTorch: "not measured" };
  const machine = { cpu: "one", bfloat16: "no", threads: 1, loadAtStart: 0, loadAtEnd: 0, node: "20" };
  const resnet18 = {
    network: "resnet18" as const,
    images: "images of counted noise",
    contenders: [],
    ratios: [],
  };
  const text = benchMarkdown({ machine, engines, rounds: 1, batch: 64, peaks: {}, networks: [resnet18] });
  expect(text).toContain(
    "Batches out of images of counted noise. On both sides the attack's pass is in evaluation mode",
  );
});

describe("what the steps are", () => {
  it("are of the networks' own images and radius, on both sides alike, in each of PyTorch's forms", () => {
    const options = benchOptions(["--only", "resnet18", "--precision", "float32"], {})!;
    const contenders = contendersOf("resnet18", options, true);
    expect(contenders.map(({ step, side, form }) => `${step}, ${side}, ${form}`)).toContain(
      "fgsm + sqa, PyTorch, torch.compile float32 NCHW, floor(g + u)",
    );
    for (const { task } of contenders) {
      expect(task).toMatchObject({
        network: "resnet18",
        imageShape: [3, 32, 32],
        batch: 64,
        epsilon: 8 / 255,
      });
    }
    const [small] = contendersOf("small", benchOptions([], {})!, false);
    expect(small!.task).toMatchObject({ imageShape: [1, 28, 28], batch: 128, epsilon: 0.3 });
  });

  it("place SQA after every block of ResNet-18, as the peer does", () => {
    const blocks = [1, 2, 3, 4].flatMap((stage) => [0, 1].map((block) => [`layer${stage}.${block}`, 2]));
    const { module } = networks.resnet18.model.build({ seed: 0, defenses: [sqa({ places: "blocks" })] });
    const placed = placedQuantizers(module).map(([name, { options }]) => [name, options.lambda]);
    expect(Object.fromEntries(placed)).toEqual({ relu: 1, ...Object.fromEntries(blocks) });
    module.dispose();
  });

  it("take a data set's images, or noise of its shape where it is not there", () => {
    const mnist = trainingImages("mnist", 3, undefined);
    expect([mnist.split.images.length, mnist.split.labels.join()]).toEqual([3 * 784, "5,0,4"]);
    vi.stubEnv("XDG_CACHE_HOME", "/nonexistent");
    const { split, source } = trainingImages("cifar10", 50, undefined);
    expect(source).toBe("50 images of counted noise, 3 x 32 x 32 as in cifar10");
    // 153,600 uniform bytes: the mean has a standard deviation of 0.19.
    const mean = [...split.images].reduce((sum, pixel) => sum + pixel, 0) / split.images.length;
    expect([split.images.length, split.images.includes(0), split.images.includes(255)]).toEqual([
      50 * 3072,
      true,
      true,
    ]);
    expect(Math.abs(mean - 127.5)).toBeLessThan(1);
    expect([...new Set(split.labels)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(trainingImages("cifar10", 50, undefined).split).toEqual(split);
    expect(() => trainingImages("cifar10", 50, "/nonexistent")).toThrow("folder /nonexistent does not exist");
    vi.unstubAllEnvs();
  });
});

describe("what it makes of the times", () => {
  it("are medians and quartiles", () => {
    // numpy.percentile([1, 2, 4, 8], [50, 25, 75])
    expect(spreadOf([8, 1, 4, 2])).toEqual({ median: 3, low: 1.75, high: 5 });
    expect(() => spreadOf([])).toThrow(RangeError);
    expect(ratioOf([2, 20, 6], [1, 10, 2])).toEqual({ median: 2, low: 2, high: 2.5 });
  });

  it("are ratios to the fastest form that did not fail, and shares of the precision's peak", () => {
    const one = (
      side: Contender["side"],
      form: string,
      precision: Contender["precision"],
      ...samples: number[]
    ) => ({
      contender: { side, step: "fgsm" as const, form, precision, task: {} },
      samples,
      memory: 1,
      ...(samples.length === 0 ? { failed: "no compiler" } : {}),
    });
    const contenders = [
      one("ours", "float32", "float32", 1, 1, 1),
      one("PyTorch", "slow", "float32", 9, 9, 9),
      one("PyTorch", "fast", "bfloat16", 2, 3, 4),
      one("PyTorch", "broken", "bfloat16"),
    ];
    // 5 passes of 1,994,240 multiply-adds for one image.
    const peaks = { float32: 19_942_400, bfloat16: 39_884_800 };
    const { contenders: rows, ratios } = summarize("small", 1, { contenders, matrices: { peaks } });
    expect(rows.map(({ peakShare, failed }) => failed ?? peakShare!.toFixed(4))).toEqual([
      "1.0000",
      "0.1111",
      "0.1667",
      "no compiler",
    ]);
    expect(ratios).toEqual([
      {
        name: "fgsm: ours (float32), times as fast as PyTorch's fastest (fast)",
        ratio: { median: 3, low: 2.5, high: 3.5 },
      },
    ]);
  });

  it("count a pass forward as its weights times the pixels they are used at", () => {
    // 784 * 9 * 16 + 196 * 9 * 16 * 32 + 49 * 9 * 32 * 64 + 576 * 128 + 1280, and the same by 4 in each
    // number of channels.
    expect(forwardMultiplyAdds("small")).toBe(1_994_240);
    expect(forwardMultiplyAdds("large")).toBe(784 * 9 * 64 + 2 * 196 * 9 * 64 * 128 + 2304 * 512 + 5120);
    // Four stages of equal work, but that three of them halve the side and widen in their first convolution;
    // He et al.'s 0.56 G.
    const full = 1024 * 9 * 64 * 64;
    const wider = 3 * full + full / 2 + 256 * 64 * 128;
    expect(forwardMultiplyAdds("resnet18")).toBe(1024 * 9 * 3 * 64 + 4 * full + 3 * wider + 5120);
  });
});

describe("its options", () => {
  it("have defaults, and refuse what cannot be", () => {
    expect(benchOptions([], { PYTHON: "python3.11" })).toMatchObject({
      networks: ["small", "large"],
      rounds: 20,
      batch: 128,
      python: "python3.11",
    });
    expect(benchOptions(["--quick", "--only", "large"], {})).toMatchObject({
      networks: ["large"],
      rounds: 1,
      python: "python3",
    });
    expect(benchOptions(["--only", "resnet18", "--data", "somewhere"], {})).toMatchObject({
      networks: ["resnet18"],
      batch: 64,
      data: "somewhere",
    });
    expect(benchOptions(["--precision", "bfloat16"], {})?.precisions).toEqual(["bfloat16"]);
    expect(() => benchOptions(["--precision", "half"], {})).toThrow(
      "--precision must be one of float32, bfloat16, not half",
    );
    expect(benchOptions(["--help"], {})).toBeUndefined();
    expect(() => benchOptions(["--only", "medium"], {})).toThrow(
      "--only must be one of small, large, resnet18, not medium",
    );
    expect(() => benchOptions(["--rounds", "0"], {})).toThrow(
      "--rounds must be a whole number in 1 .. 10000, not 0",
    );
    expect(() => benchOptions(["--batch", "99", "--images", "10"], {})).toThrow(
      /--batch must be .* 1 \.\. 10, not 99/,
    );
  });
});
