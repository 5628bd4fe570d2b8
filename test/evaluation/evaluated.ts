import { tensor } from "../../src/engine/index.js";
import { type Evaluation, type EvaluationOptions, evaluate } from "../../src/evaluation/index.js";
import type { Classifier } from "../../src/nn/classifier.js";

/** The outcome of a whole evaluation. */
export async function evaluated(
  model: Classifier,
  split: Parameters<typeof evaluate>[1],
  options: EvaluationOptions,
): Promise<Evaluation> {
  for await (const event of evaluate(model, split, options)) if (event.type === "end") return event.evaluation;
  throw new Error("no result");
}

/** Two classes by the mean pixel against 0.5; deterministic, with a gradient. */
export const brightness: Classifier = {
  inputShape: [1, 2, 2],
  classes: 2,
  randomized: false,
  logits(images) {
    const mean = images.meanDim([1, 2, 3]).unsqueeze(1);
    return mean.sub(0.5).mul(tensor([-1, 1], [1, 2]));
  },
};

/** Images of one gray, one for each byte given, all of class 0. */
export const grays = (...bytes: number[]) => ({
  images: Uint8Array.from(bytes.flatMap((byte) => [byte, byte, byte, byte])),
  labels: new Uint8Array(bytes.length),
  count: bytes.length,
});
