import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { modelFromFile } from "../../../src/models/index.js";
import { difference, fixture, load, numbers, passOf } from "./fixtures.js";

/** Numbers that make_quantized.py wrote. */
const wanted = JSON.parse(
  readFileSync(new URL("../../fixtures/exported/quantized.json", import.meta.url), "utf8"),
) as { readonly logits: string; readonly straightThrough: string };

describe("a model quantized by export (PT2E)", () => {
  it("has PyTorch's logits, and the gradient of steps that are not rounded", async () => {
    const model = await load("quantized-8-bits");
    const { logits, gradient } = passOf(model);
    expect(difference(logits, numbers(wanted.logits))).toBeLessThan(1e-6);
    expect(difference(gradient, numbers(wanted.straightThrough))).toBeLessThan(1e-5);
    expect(gradient.some((value) => value !== 0)).toBe(true);
  });

  it("says what passes gradients on", async () => {
    const { warnings } = await load("quantized-8-bits");
    expect(warnings).toEqual([
      expect.stringMatching(
        /^gradients blocked by quantized_decomposed\.quantize_per_tensor \(quantize_per_tensor, .+BPDA/,
      ),
    ]);
  });

  it("has a zero gradient where the exact one is asked for", async () => {
    const model = await load("quantized-8-bits", { exactGradients: true });
    expect(model.warnings.join()).toContain("the gradient at images is zero in every pixel");
    const { logits, gradient } = passOf(model);
    expect(difference(logits, numbers(wanted.logits))).toBeLessThan(1e-6);
    expect(gradient.every((value) => value === 0)).toBe(true);
  });

  it("is refused where an image's logits depend on the others, with the way out", async () => {
    await expect(modelFromFile(fixture("quantized-dynamic"))).rejects.toThrow(
      /choose_qparams takes its scale from all images of a batch .* quantize statically/,
    );
  });
});
