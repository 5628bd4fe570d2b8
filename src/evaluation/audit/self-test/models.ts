import { pgd } from "../../../attacks/index.js";
import { mnist } from "../../../datasets/index.js";
import { type Model, small } from "../../../models/index.js";
import { oneCycle } from "../../../nn/index.js";
import { train } from "../../../training/index.js";

/** Models that are trained in seconds on a part of MNIST, for the self-test to break or to trust. */
const recipes = {
  /** Never attacked in training: any attack breaks it. */
  undefended: { method: "standard", epochs: 4, limit: 10_000 },
  /** Trained on PGD examples of a small radius: honestly robust there. */
  robust: { method: pgd({ epsilon: 0.1, steps: 5, stepSize: 0.05 }), epochs: 2, limit: 20_000 },
} as const;

/** Name of a recipe. */
export type RecipeName = keyof typeof recipes;

/** The trained model of a recipe; a run that is in the folder already is not trained again. */
export async function trainedModel(
  name: RecipeName,
  {
    runs,
    data,
    signal,
  }: { readonly runs: string; readonly data?: string | undefined; readonly signal?: AbortSignal | undefined },
): Promise<Model> {
  const shared = {
    model: small(),
    data: mnist({ folder: data }),
    validationAttacks: [],
    schedule: oneCycle({ peak: 0.05 }),
  };
  const run = await train(
    { ...shared, ...recipes[name] },
    { runs, ...(signal === undefined ? {} : { signal }) },
  );
  return run.model;
}
