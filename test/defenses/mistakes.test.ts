import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineDefense } from "../../src/defenses/index.js";
import type { DefenseWork } from "../../src/models/index.js";
import { small } from "../../src/models/index.js";

const options = z.strictObject({});
const work = { randomized: false, advice: "none", apply: () => undefined, surrogates: () => ({}) };

/** Model with a defense whose writer made a mistake in one part. */
const modelWith = (mistake: object) => {
  const create = () => ({ ...work, ...mistake }) as DefenseWork;
  return small().build({
    seed: 0,
    defenses: [defineDefense("mine", { summary: "mine", options, create })()],
  });
};

describe("mistakes of a defense's writer are named", () => {
  test.each<[string, object, string]>([
    [
      "an async apply",
      { apply: async () => undefined },
      "defense mine: apply must be a function that is not async, not a Promise",
    ],
    [
      "a transform that is no module",
      { apply: (model: ReturnType<typeof modelWith>) => model.module.inputTransforms.push(work as never) },
      "defense mine: an element of inputTransforms must be a Module, not an object",
    ],
  ])("%s", (_, mistake, message) => {
    expect(() => modelWith(mistake)).toThrow(message);
  });

  test.each<[string, () => unknown]>([
    ["none", () => undefined],
    ["a promise of them", async () => ({})],
    ["what is no classifier", () => ({ mean: 3 })],
  ])("surrogates that are %s", (_, surrogates) => {
    const classifier = modelWith({ surrogates }).classifier();
    expect(() => classifier.surrogates).toThrow(
      "defense mine: surrogates must be a function that returns an object of classifiers, or {}, not ",
    );
  });
});
