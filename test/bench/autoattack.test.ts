import { spawnSync } from "node:child_process";
import { describe, expect, it, test } from "vitest";
import { autoAttackBenchOptions } from "../../bench/autoattack/options.js";
import { type AutoAttackResult, autoAttackMarkdown, totalOf } from "../../bench/autoattack/report.js";

const program = new URL("../../bench/autoattack/autoattack.ts", import.meta.url).pathname;

test("the comparison of AutoAttack runs, and says why there is no peer", { timeout: 60_000 }, () => {
  const words = ["--quick", "--json", "--python", "no-such-python"];
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--import", "tsx", program, ...words], {
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  const result = JSON.parse(stdout) as AutoAttackResult;
  expect(result.problem).toContain("no-such-python cannot be run");
  const [ours, ...others] = result.sides;
  expect(others).toEqual([]);
  expect(ours!.parts.map(({ name }) => name)).toEqual(["apgd", "apgd-t", "fab-t", "square"]);
  // What is right on clean images is what the first attack gets, and no attack gets images that are broken
  // already.
  const attacked = ours!.parts.map(({ attacked }) => attacked / result.images);
  expect(attacked).toEqual([
    ours!.clean,
    ...ours!.parts.slice(0, -1).map(({ robustAccuracy }) => robustAccuracy),
  ]);
  expect(autoAttackMarkdown(result)).toContain("- PyTorch: not measured");
});

test("totals add up the components", () => {
  const part = { name: "apgd", attacked: 9, robustAccuracy: 0.5, forward: 3, backward: 2, seconds: 2 };
  const parts = [
    { ...part, processorSeconds: 1 },
    { ...part, name: "square", robustAccuracy: 0.25, processorSeconds: 3 },
  ];
  expect(totalOf({ side: "ours", engine: "", clean: 0.9, parts, seconds: 5 })).toEqual({
    name: "all",
    attacked: 9,
    robustAccuracy: 0.25,
    forward: 6,
    backward: 4,
    seconds: 4,
    processorSeconds: 4,
  });
});

describe("its options", () => {
  it("have the published budgets, and need weights", () => {
    expect(autoAttackBenchOptions(["--weights", program], { PYTHON: "python3.11" })).toMatchObject({
      weights: program,
      images: 1000,
      steps: 100,
      queries: 5000,
      targets: 9,
      python: "python3.11",
    });
    expect(() => autoAttackBenchOptions([], {})).toThrow("--weights is needed");
    expect(() => autoAttackBenchOptions(["--weights", "nowhere"], {})).toThrow("nowhere does not exist");
    expect(() => autoAttackBenchOptions(["--quick", "--targets", "10"], {})).toThrow(
      /--targets must be .* 1 \.\. 9/,
    );
    expect(() => autoAttackBenchOptions(["--quick", "--epsilon", "0"], {})).toThrow(
      /--epsilon must lie above 0/,
    );
    expect(autoAttackBenchOptions(["--help"], {})).toBeUndefined();
  });
});
