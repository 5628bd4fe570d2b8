import { type Dataset, datasets } from "../../datasets/index.js";
import { type Model, modelFromFile, statisticsOf } from "../../models/index.js";
import { modelFromRun } from "../../training/index.js";
import type { PlayFacts } from "../api.js";

/** Place of a model on the disk, with a mark that changes when its files do. */
export interface PlaySource {
  readonly kind: "run" | "file";
  readonly path: string;
  readonly mark: string;
  /** Mean and deviation that an exported model leaves to its user, as text. */
  readonly normalize?: string | undefined;
}

/** Model that was opened. */
export interface PlayedModel {
  readonly model: Model;
  /** Data set of a run. */
  readonly data?: Dataset | undefined;
  readonly notes: readonly string[];
}

async function open({ kind, path, normalize }: PlaySource): Promise<PlayedModel> {
  if (kind === "run") {
    const { model, config } = modelFromRun(path);
    return { model, data: config.data, notes: [] };
  }
  const statistics = normalize === undefined ? undefined : statisticsOf(normalize);
  if (normalize !== undefined && statistics === undefined)
    throw new RangeError(`normalization: "${normalize}" is neither imagenet nor MEAN/STD such as 0.13/0.31`);
  const architecture = await modelFromFile(path, { normalize: statistics });
  return { model: architecture.build({ seed: 0, defenses: [] }), notes: architecture.notes };
}

let last: { readonly key: string; readonly opened: PlayedModel } | undefined;

/** Opens a model; the last one is kept while its files stay as they are. */
export async function openedModel(source: PlaySource): Promise<PlayedModel> {
  const key = JSON.stringify(source);
  if (last?.key === key) return last.opened;
  last = undefined;
  const opened = await open(source);
  last = { key, opened };
  return opened;
}

let known: readonly Dataset[] | undefined;

/** Official data sets that lie on this machine. Others read folders that a page has no right to. */
function official(): readonly Dataset[] {
  known ??= datasets.definitions.flatMap(({ name, options }) => {
    if ("path" in options.shape) return [];
    try {
      const data = datasets.parse(name);
      data.locate?.();
      return [data];
    } catch {
      return [];
    }
  });
  return known;
}

/** Data set that a request names. RangeError for another than the facts tell of. */
export function dataOf({ data: own }: PlayedModel, name: string): Dataset {
  const found = name === "" ? own : official().find((data) => String(data) === name);
  if (found === undefined) throw new RangeError(`data set "${name}": not on this machine`);
  return found;
}

/** Facts of a model. */
export function factsOf({ model, data, notes }: PlayedModel): PlayFacts {
  const { name, inputShape, classNames } = model;
  const fits = ({ imageShape }: Dataset) => imageShape.join() === inputShape.join();
  // Those of the model's shape first: the page shows the first.
  const [fitting, others] = [official().filter(fits), official().filter((one) => !fits(one))];
  return {
    name,
    shape: inputShape,
    classNames,
    randomized: model.classifier().randomized,
    notes,
    data: [...(data === undefined ? [] : [""]), ...[...fitting, ...others].map(String)],
  };
}
