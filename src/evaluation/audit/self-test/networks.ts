import { type Model, parseNetwork } from "../../../models/index.js";
import { loadWeights, type TrainConfigInput, train } from "../../../training/index.js";

/** A network that is trained in seconds on a part of MNIST, for the self-test to break or to trust. */
const recipes = {
  /** Never attacked in training: any attack breaks it. */
  undefended: { method: "standard", epochs: 4, limit: 10_000 },
  /** Trained on PGD examples of a small radius: honestly robust there. */
  robust: { method: "pgd(epsilon=0.1, steps=5)", epochs: 2, limit: 20_000 },
} as const satisfies Record<string, TrainConfigInput>;
export type RecipeName = keyof typeof recipes;

/** The trained network of a recipe; a run that is in the folder already is not trained again. */
export async function trainedNetwork(name: RecipeName, runs: string, signal?: AbortSignal): Promise<Model> {
  let weights: string | undefined;
  const config = { ...recipes[name], network: "small", probes: [], schedule: "one-cycle(peak=0.05)" };
  for await (const event of train(config, { runs, ...(signal === undefined ? {} : { signal }) })) {
    if (event.type === "end") weights = event.weights;
  }
  signal?.throwIfAborted();
  if (weights === undefined) throw new Error(`the network of the self-test, ${name}, was not trained to its end`);
  const model = parseNetwork("small").build({ seed: 0 });
  loadWeights(weights, model.module);
  return model;
}
