import { existsSync } from "node:fs";
import { join } from "node:path";
import { FileFormatError, isObject, readJsonFile, readTextFile } from "../../base/index.js";
import { exportAdvice } from "../../files/index.js";
import type { Architecture } from "../architecture.js";
import type { ChannelStatistics, ImageShape } from "../model.js";
import { isTimmConfig, timmImages, timmNetwork } from "./timm.js";
import { transformersImages, transformersNetwork } from "./transformers.js";

/** Model in a folder as Hugging Face's `save_pretrained` or timm's `save_for_hf` writes it. */
export interface HuggingFaceModel {
  readonly architecture: Architecture;
  /** File of its weights. */
  readonly weights: string;
}

/** ONNX file in a folder of Hugging Face's, and what the folder tells of its images. */
export interface HuggingFaceOnnx {
  readonly file: string;
  /** Normalization that the file lacks; undefined where the folder tells none. */
  readonly normalize: ChannelStatistics | undefined;
  readonly inputShape: ImageShape | undefined;
}

const weightsNames = ["model.safetensors", "pytorch_model.bin"];
const onnxNames = ["model.onnx", "onnx/model.onnx"];

const fileOf = (folder: string, names: readonly string[]) =>
  names.map((name) => join(folder, name)).find(existsSync);

const isTransformersConfig = (config: Readonly<Record<string, unknown>>) =>
  "model_type" in config || "architectures" in config;

/** Tells a folder with a model of Hugging Face's: by its config.json, or an ONNX file without one. */
export function isHuggingFaceFolder(folder: string): boolean {
  const file = join(folder, "config.json");
  if (!existsSync(file)) return fileOf(folder, onnxNames) !== undefined;
  try {
    const config: unknown = JSON.parse(readTextFile(file));
    return isObject(config) && (isTransformersConfig(config) || isTimmConfig(config));
  } catch {
    return false;
  }
}

/**
 * Architecture and weights of a folder of Hugging Face's, where the network is one of ours: a ResNet of 18,
 * 34, 50 or 101 layers, as transformers or timm defines it.
 *
 * @throws FileFormatError that names the file and says what is accepted
 */
export function huggingFaceModel(folder: string): HuggingFaceModel {
  const file = join(folder, "config.json");
  const onnx = fileOf(folder, onnxNames);
  const instead = onnx === undefined ? "" : `give ${onnx}, with --normalize, or `;
  if (!existsSync(file))
    throw new FileFormatError(`${folder}: has no config.json; ${instead}${exportAdvice}`);
  const config = readJsonFile(file);
  const architecture =
    isObject(config) && isTimmConfig(config)
      ? timmNetwork(file, config, instead)
      : transformersNetwork(file, config, preprocessorOf(folder), instead);
  const weights = fileOf(folder, weightsNames);
  if (weights !== undefined) return { architecture, weights };
  throw new FileFormatError(
    `${folder}: has neither ${weightsNames.join(" nor ")}; ${instead}${exportAdvice}`,
  );
}

/**
 * ONNX file of a folder of Hugging Face's that has no weights beside it; undefined of any other folder.
 *
 * @throws FileFormatError for a file of the folder that is no JSON or says something else
 */
export function huggingFaceOnnx(folder: string): HuggingFaceOnnx | undefined {
  const onnx = fileOf(folder, onnxNames);
  if (onnx === undefined || fileOf(folder, weightsNames) !== undefined) return undefined;
  const file = join(folder, "config.json");
  const config = existsSync(file) ? readJsonFile(file) : undefined;
  const images =
    isObject(config) && isTimmConfig(config)
      ? timmImages(file, config)
      : transformersImages(config, preprocessorOf(folder));
  return { file: onnx, ...images };
}

/** Content of preprocessor_config.json, with the file; undefined where there is none. */
function preprocessorOf(folder: string): { file: string; content: unknown } | undefined {
  const file = join(folder, "preprocessor_config.json");
  return existsSync(file) ? { file, content: readJsonFile(file) } : undefined;
}
