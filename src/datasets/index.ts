import type { TextOf } from "../options/index.js";
import * as all from "./all.js";
import { datasets } from "./dataset.js";

export * from "./all.js";
export * from "./augmentations/index.js";
export { type Batch, partsOfBatch, TensorSplit } from "./batches.js";
export { type Dataset, datasets, defineDataset, defineSource } from "./dataset.js";
export { type DatasetArchive, fetchArchive } from "./fetching/fetch-archive.js";
export { type ImagesOfOptions, imagesOf } from "./images-of.js";
export { imageAs, pictureAs } from "./pixels/picture.js";
export type { PreparationOptions, PreparationProgress, StoredPixels } from "./pixels/stored.js";
export { type ImagesFromOptions, imagesFrom } from "./sources/images-from.js";
export {
  addContent,
  checkSplit,
  contentHash,
  drawnFrom,
  fewClasses,
  liesByClass,
  prepareImages,
  type Split,
  type SplitData,
  type SplitName,
  setApart,
  subset,
} from "./split.js";
export { channelStatistics } from "./statistics.js";

datasets.include(...Object.values(all));

/** Text of a data set of the package. */
export type DatasetText = TextOf<typeof all>;
