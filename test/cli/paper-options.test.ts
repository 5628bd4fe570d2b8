import { expect, it } from "vitest";
import {
  accuracyDeviceNotes,
  cellsAsAsked,
  checkTakes,
  paperOptions,
  recipeOf,
  resultName,
  sizesOf,
  timingDeviceNotes,
  wholeRows,
} from "../../src/cli/paper-options.js";
import type { CellOutcome } from "../../src/paper/index.js";
import { table1Cells } from "../../src/paper/index.js";

const sizes = { preset: "paper", epochs: 1, limit: 10, strongLimit: 10 } as const;
const cells = table1Cells({ ...sizes, networks: ["small"], seeds: { full: 1, sqa: 2 } });
const outcomes = cells.map((cell) => ({ cell }) as CellOutcome);
const names = (whole: readonly CellOutcome[]) => whole.map(({ cell }) => cell.name);

it("a finished table has all of its rows, whatever their seeds", () => {
  expect(wholeRows(outcomes, cells)).toEqual(outcomes);
});

it("a stopped table has the rows whose seeds are all done", () => {
  expect(names(wholeRows(outcomes.slice(0, 2), cells))).toEqual(["small-full-seed0"]);
  expect(names(wholeRows(outcomes.slice(1), cells))).toEqual(["small-sqa-seed0", "small-sqa-seed1"]);
  expect(wholeRows([], cells)).toEqual([]);
});

it("trains in float32 unless told", () => {
  const precisionsOf = (given: object) =>
    cellsAsAsked(cells, paperOptions.parse(given)).map(({ config }) => config.precision);
  expect(new Set(precisionsOf({}))).toEqual(new Set(["float32"]));
  expect(precisionsOf({ precision: "bfloat16" })).toEqual(cells.map(() => "bfloat16"));
  expect(cellsAsAsked(cells, paperOptions.parse({ precision: "auto", device: "cuda" }))[0]!.config.precision).toBe(
    "bfloat16",
  );
  expect(() => paperOptions.parse({ precision: "half" })).toThrow();
});

it("takes as many seeds in full precision as with SQA where nothing else is said", () => {
  const seeds = (given: object) => sizesOf(paperOptions.parse(given)).seeds;
  expect(seeds({})).toEqual({ full: 3, sqa: 3 });
  expect(seeds({ seeds: 2 })).toEqual({ full: 2, sqa: 2 });
  expect(seeds({ fullSeeds: 1 })).toEqual({ full: 1, sqa: 3 });
});

it("refuses a recipe that a table does not have, by name", () => {
  expect(recipeOf(paperOptions.parse({}))).toBe("paper");
  expect(() => recipeOf(paperOptions.parse({ preset: "fast" }))).toThrow(/preset.*fast.*accepted here: paper, short/);
  expect(() => paperOptions.parse({ preset: "quick" })).toThrow();
});

it("names a table's files by the network that stands in place of its own", () => {
  expect(resultName("table2")).toBe("table2");
  expect(resultName("table2", "resnet18(width=16)")).toBe("table2-resnet18-width-16");
  expect(resultName("speed", "modern", undefined, "n-fgsm(epsilon=8/255)")).toBe("speed-modern-n-fgsm-epsilon-8-255");
});

it("refuses an option that a target would not heed", () => {
  const target = { takes: ["epochs", "limit"], work: async () => 0 } as const;
  checkTakes("figure1", target, paperOptions.parse({ epochs: 3, device: "cuda", runs: "x" }));
  expect(() => checkTakes("figure1", target, paperOptions.parse({ fullSeeds: 2 }))).toThrow(
    "figure1 does not take --full-seeds; of such options it takes --epochs, --limit",
  );
});

it("says of a device's figures how they came about", () => {
  expect([...accuracyDeviceNotes("cpu"), ...timingDeviceNotes("cpu", false)]).toEqual([]);
  expect(accuracyDeviceNotes("cuda").join()).toContain("TF32");
  expect(timingDeviceNotes("cuda", true)).toEqual(["Steps were replayed as graphs."]);
  expect(timingDeviceNotes("cuda:1", false).join()).toContain("operator by operator");
});
