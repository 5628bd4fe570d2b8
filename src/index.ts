/**
 * Front of the package: train a model, evaluate it, audit it. All else of a room is at its own path, such
 * as `sqa/nn` for layers and losses. Attacks and training methods that share a name, `fgsm` and `pgd`, are
 * here as attacks, which `train` takes as methods too.
 */

import { findAddon } from "./engine/index.js";

export { z } from "zod";
export * from "./attacks/all.js";
export {
  type Attack,
  type AttackContext,
  type AttackTraits,
  attacks,
  defineAttack,
  defineCombinator,
  type Victim,
} from "./attacks/index.js";
export {
  deriveSeed,
  FileFormatError,
  MissingFileError,
  NotFiniteError,
  type Seed,
  TensorError,
  type Work,
} from "./base/index.js";
export * from "./datasets/all.js";
export * from "./datasets/augmentations/index.js";
export {
  type Dataset,
  datasets,
  defineDataset,
  type ImagesFromOptions,
  type ImagesOfOptions,
  imagesFrom,
  imagesOf,
  prepareImages,
  type Split,
  subset,
} from "./datasets/index.js";
export * from "./defenses/all.js";
export { defenses, defineDefense } from "./defenses/index.js";
export { Tensor, tensor } from "./engine/index.js";
export * from "./evaluation/index.js";
export * from "./models/all.js";
export {
  type Architecture,
  type Defense,
  defineModel,
  type ExportOnnxOptions,
  type ExportWeightsOptions,
  exportOnnx,
  exportWeights,
  type FileModel,
  type Model,
  type ModelFromFileOptions,
  type ModelOfOptions,
  modelFromFile,
  modelOf,
  models,
  saveExported,
} from "./models/index.js";
export type { Classifier } from "./nn/index.js";
export * from "./nn/optimizers/index.js";
export * from "./nn/schedules/index.js";
export type { Definition, Factory, Kind, Value } from "./options/index.js";
export {
  type DenoiserConfig,
  type DensityConfig,
  defineMethod,
  fgsmRs,
  methods,
  modelFromRun,
  modelFromWeights,
  nFgsm,
  type OpenedRun,
  type PartEvent,
  type PartOptions,
  type PartResult,
  presets,
  RunFolder,
  standard,
  type TrainConfig,
  type TrainConfigInput,
  type TrainEvent,
  type TrainedPart,
  type TrainedRun,
  type TrainingMethod,
  type TrainOptions,
  type TrainResult,
  train,
  trainDenoiser,
  trainDensity,
} from "./training/index.js";
export * from "./training/overfitting/guards/index.js";

// A program learns at its first line that there is no addon, not after it has read its images.
findAddon();
