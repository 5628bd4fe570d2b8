import { describe, expect, it } from "vitest";
import { difference, expected, load, numbers, passOf } from "./fixtures.js";

/** Least accurate of the fixtures: their stand-ins multiply and divide once more. */
const tolerance = 1e-5;

const quantizers = [
  ["rounded", "aten.round"],
  ["thresholded", "aten.gt"],
  ["eight-bits", "aten.to"],
] as const;

describe("a model with blocked gradients", () => {
  it.each(quantizers)("%s is found, and passes gradients as if by the identity", async (name, operator) => {
    const model = await load(name);
    expect(model.warnings.join()).toContain(`gradients blocked by ${operator}`);
    const { logits, gradient } = passOf(model);
    expect(difference(logits, numbers(expected[name]!.logits!))).toBeLessThan(tolerance);
    expect(difference(gradient, numbers(expected[name]!.straightThrough!))).toBeLessThan(tolerance);
    expect(Math.max(...gradient)).toBeGreaterThan(0);
  });

  it.each(quantizers)("%s has a gradient of zeros where exact ones are asked for", async (name) => {
    const model = await load(name, { exactGradients: true });
    expect(model.warnings.join()).toContain("left so");
    expect(model.warnings.join()).toContain("the gradient at images is zero in every pixel");
    const { logits, gradient } = passOf(model);
    expect(difference(logits, numbers(expected[name]!.logits!))).toBeLessThan(tolerance);
    expect(gradient.every((value) => value === 0)).toBe(true);
  });

  it("is another model with exact gradients", async () => {
    const [identity, exact] = [await load("rounded"), await load("rounded", { exactGradients: true })];
    expect(identity.own!.hash).not.toBe(exact.own!.hash);
    expect(identity.own!.sha256).toBe(exact.own!.sha256);
  });

  it.each([
    ["a straight-through form that its author wrote", "detached"],
    ["signs that are given back to a size of the same value", "signed"],
  ])("keeps %s, and says nothing", async (_, name) => {
    const model = await load(name);
    expect(model.warnings).toEqual([]);
    const { logits, gradient } = passOf(model);
    expect(difference(logits, numbers(expected[name]!.logits!))).toBeLessThan(tolerance);
    expect(difference(gradient, numbers(expected[name]!.gradient!))).toBeLessThan(tolerance);
  });

  it.each([
    ["signs that have the scale of many values", "binarized", "aten.sign"],
    ["masks that are numbers beside values", "joined", "aten.gt"],
  ])("passes gradients by %s", async (_, name, operator) => {
    const model = await load(name);
    expect(model.warnings.join()).toContain(`gradients blocked by ${operator}`);
    const { logits, gradient } = passOf(model);
    expect(difference(logits, numbers(expected[name]!.logits!))).toBeLessThan(tolerance);
    expect(difference(gradient, numbers(expected[name]!.straightThrough!))).toBeLessThan(tolerance);
    expect(difference(gradient, numbers(expected[name]!.gradient!))).toBeGreaterThan(0.1);
  });
});

describe("the end of a model", () => {
  it("is its logits where it was a softmax", async () => {
    const model = await load("softmax");
    expect(model.warnings).toEqual([expect.stringContaining("aten.softmax, is taken off")]);
    const { logits } = passOf(model);
    expect(logits.some((value) => value < 0)).toBe(true);
  });
});
