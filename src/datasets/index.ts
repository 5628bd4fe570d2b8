import { unknownName } from "../base/index.js";
import { cifar10 } from "./cifar10.js";
import type { DatasetDefinition } from "./dataset.js";
import { fashionMnist } from "./fashion-mnist.js";
import { mnist } from "./mnist.js";

export { type Augmentation, augmentations } from "./augmentation.js";
export { type Batch, TensorSplit } from "./batches.js";
export { type Dataset, type DatasetDefinition, defineDataset, type Split, type SplitName } from "./dataset.js";
export { holdOut, subset } from "./split.js";
export { cifar10, fashionMnist, mnist };

/** Every data set by its name; a new one is a file and a line here. */
export const datasets: ReadonlyMap<string, DatasetDefinition> = new Map<string, DatasetDefinition>(
  [mnist, fashionMnist, cifar10].map((definition) => [definition.name, definition]),
);

/** The data set of a name; throws a RangeError that suggests the nearest name and lists all. */
export function datasetByName(name: string): DatasetDefinition {
  const definition = datasets.get(name);
  if (definition === undefined) throw unknownName("data set", name, [...datasets.keys()]);
  return definition;
}
