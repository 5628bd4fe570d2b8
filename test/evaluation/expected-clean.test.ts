import { describe, expect, test } from "vitest";
import { imagesOf } from "../../src/datasets/index.js";
import { audit, evaluate, UnexpectedAccuracyError } from "../../src/evaluation/index.js";
import { small } from "../../src/models/index.js";

/** All images are alike, so that the model answers half of them rightly, whatever its weights. */
const model = small({ inputShape: [1, 28, 28], classes: 2 }).build({ seed: 0 });
const images = new Uint8Array(100 * 784).fill(9);
const labels = Array.from({ length: 100 }, (_, i) => i % 2);
const data = imagesOf({ images, labels, shape: [1, 28, 28], classes: ["a", "b"], test: { images, labels } });

describe("a clean accuracy that is expected", () => {
  test.each([0.5, 0.41, 0.595])("of %d, within the interval, is passed over", async (expectClean) => {
    const found = await evaluate(model, data, { attacks: [], expectClean });
    expect(found.clean.accuracy).toBe(0.5);
  });

  test.each([0.62, 1])("of %d ends an evaluation with the usual causes", async (expectClean) => {
    await expect(evaluate(model, data, { attacks: [], expectClean })).rejects.toThrow(
      UnexpectedAccuracyError,
    );
    await expect(evaluate(model, data, { attacks: [], expectClean })).rejects.toThrow(
      /classifies 50.0 % of 100 clean images correctly \(95 % interval 40.4 % to 59.6 %\), and .* were expected; usual causes: the normalization .* twice.*red and blue.*another order.*resized/,
    );
  });

  test("of less than was found is not put down to preprocessing here", async () => {
    await expect(evaluate(model, data, { attacks: [], expectClean: 0.39 })).rejects.toThrow(
      /and 39.0 % were expected; usual causes: the model was trained on these images, or .* easier/,
    );
  });

  test("ends an audit before its attacks", async () => {
    const options = { epsilon: 0.1, budget: "quick", limit: 40, expectClean: 0.9 } as const;
    const seen: string[] = [];
    const work = async () => {
      for await (const event of audit(model, data, options)) if (event.type === "trial") seen.push("trial");
    };
    await expect(work()).rejects.toThrow(UnexpectedAccuracyError);
    expect(seen).toEqual([]);
  });

  test.each([0, 1.2, Number.NaN, "0.7"])("must be a share, not %j", async (expectClean) => {
    const options = { attacks: [], expectClean } as never;
    await expect(evaluate(model, data, options)).rejects.toThrow(/expectClean/);
  });
});
