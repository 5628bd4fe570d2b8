import type { Dataset } from "../datasets/index.js";
import type { Architecture } from "../models/index.js";
import type { Precision } from "../nn/index.js";
import { presets, type TrainConfigInput } from "../training/index.js";
import type { Row } from "./accuracy/row.js";
import { contenderRows } from "./contenders.js";

/** Recipe of training, without a model, data and a seed. */
type Recipe = Omit<TrainConfigInput, "model" | "data" | "defenses" | "seed">;

/** Recipes of tables on MNIST, by the name of their preset, over a number of epochs. */
const recipes = {
  /** The paper's: its schedule drops at 30, 60 and 90 % of the run. */
  paper: (epochs: number = presets.paper.config.epochs): Recipe => ({
    ...presets.paper.config,
    epochs,
    schedule: `step(peak=0.1, epochs=${(3 * epochs) / 10}, factor=0.1)`,
  }),
  "mnist-short"(epochs: number = presets["mnist-short"].config.epochs): Recipe {
    const { model: _, data: __, ...recipe } = presets["mnist-short"].config;
    return { ...recipe, epochs };
  },
} as const;

/** Options that choose a recipe of a table on MNIST. */
export interface RecipeOptions {
  readonly preset: keyof typeof recipes;
  readonly data: Dataset;
  readonly precision: Precision;
  /** The preset's own where left out. */
  readonly epochs?: number | undefined;
}

/** Recipe of a preset, stretched to a number of epochs. */
export function recipeOf({ preset, data, precision, epochs }: RecipeOptions) {
  return { ...recipes[preset](epochs), data, precision };
}

/** Options of tables and figures of networks that are trained on FGSM images. */
export interface FgsmOptions extends RecipeOptions {
  readonly model: Architecture;
  readonly seeds: number;
  readonly fullSeeds?: number | undefined;
}

/** The paper's case: full precision and SQA, trained alike on FGSM images without a random start. */
export function fgsmRows(options: FgsmOptions): [full: Row, sqa: Row] {
  return contenderRows(options.model, { ...recipeOf(options), method: "fgsm(epsilon=0.3)" }, options);
}
