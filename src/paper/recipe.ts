import { type PresetName, presets, type TrainConfigInput } from "../training/index.js";

/** The recipes of tables. */
export type RecipeName = Extract<PresetName, "paper" | "short">;

/** A recipe over so many epochs, its schedule stretched to them: the paper's drops stand at 30 and 60 of 100. */
export function recipeOver(epochs: number, name: RecipeName): TrainConfigInput {
  const recipe: TrainConfigInput = { ...presets[name], epochs };
  return name === "paper" ? { ...recipe, schedule: `step(peak=0.1, epochs=${(3 * epochs) / 10}, factor=0.1)` } : recipe;
}
