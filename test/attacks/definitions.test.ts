import { describe, expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange, liveTensors, scope } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { describeOptions } from "../../src/options/describe.js";
import { definitions } from "./contract-cases.js";
import { goldenImages, goldenLabels, tinyCnn } from "./tiny-networks.js";

const context = { seed: deriveSeed(5, "contract"), imageIds: imageIdRange(0, 6) };

describe.each(definitions)("definition of $name", (definition) => {
  test("has defaults for all options, describes each, and itself", () => {
    expect(definition.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(definition.summary.length).toBeGreaterThan(10);
    expect(() => definition.make({})).not.toThrow();
    for (const option of describeOptions(definition.options)) expect(option.description).not.toBe("");
  });

  test("refuses unknown and ill-typed options", () => {
    const [option] = Object.keys(definition.options.shape);
    const mistyped = `${option!.slice(0, -1)}q`;
    expect(() => definition.make({ [mistyped]: 1 })).toThrow(
      `attack ${definition.name}: unknown option "${mistyped}"; did you mean "${option}"?`,
    );
    expect(() => definition.make({ [option!]: "no" })).toThrow(
      `option "${option}" cannot be "no"; accepted: `,
    );
    expect(() => definition.make(3)).toThrow(TypeError);
  });

  test("frees every step's tensors before the next step", () => {
    const counts: number[] = [];
    const watching: Classifier = {
      ...tinyCnn,
      logits(images, noise) {
        counts.push(liveTensors().tensors);
        return tinyCnn.logits(images, noise);
      },
    };
    const steps = "steps" in definition.options.shape ? { steps: 30 } : {};
    const rounds = "binarySearchSteps" in definition.options.shape ? { binarySearchSteps: 2 } : {};
    const attack = definition.make({ ...steps, ...rounds });
    scope(() => attack(watching, goldenImages, goldenLabels, context));
    // The collector may lower the count at any time, and so may the end of a run; only a leak sets one record
    // after another.
    const records = counts.filter((count, i) => count > Math.max(0, ...counts.slice(0, i))).length;
    expect(records).toBeLessThanOrEqual(6);
  });
});
