import { describe, expect, test } from "vitest";
import { defineSource } from "../../src/datasets/index.js";
import * as sqa from "../../src/index.js";
import { defineTable } from "../../src/paper/index.js";

const packaged = { ...sqa, defineSource, defineTable };

const ways = {
  defineAttack: "attack",
  defineAugmentation: "augmentation",
  defineCheck: "check",
  defineCombinator: "attack",
  defineDataset: "data set",
  defineDefense: "defense",
  defineGuard: "guard",
  defineMethod: "training method",
  defineModel: "model",
  defineOptimizer: "optimizer",
  defineSchedule: "schedule",
  defineSource: "data set",
  defineTable: "table",
} as const;
const defining = (way: string) =>
  (packaged as unknown as Record<string, (...given: unknown[]) => unknown>)[way]!;

describe("a definition", () => {
  test.each(Object.entries(ways))("by %s needs its parts", (way, kind) => {
    const define = defining(way);
    expect(() => define("mine")).toThrow(
      `${kind} mine must be defined by an object of its parts, not undefined`,
    );
    expect(() => define("mine", {})).toThrow(new RegExp(`^${kind} mine[:,]`));
  });

  test("is tried here in every way that the package has", () => {
    const all = Object.keys(sqa).filter((name) => /^define[A-Z]/.test(name));
    expect(all.filter((name) => !(name in ways))).toEqual([]);
  });
});
