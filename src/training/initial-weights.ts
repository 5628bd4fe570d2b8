import { existsSync, statSync } from "node:fs";
import * as z from "zod";
import { FileFormatError, fileSha256, MissingFileError } from "../base/index.js";
import type { Model } from "../models/index.js";
import { loadWeights } from "./run/weights-file.js";

/**
 * Weights that training begins with: a file in safetensors or a PyTorch checkpoint, and the hash that says
 * which weights they are.
 */
export interface InitialWeights {
  readonly file: string;
  readonly sha256: string;
  /** Place of the weights in a checkpoint, and beginning of their names. */
  readonly key?: string | undefined;
  readonly prefix?: string | undefined;
}

/** The same as it is given: the hash is that of the file where it is left out. */
export type InitialWeightsInput = Omit<InitialWeights, "sha256"> & Partial<Pick<InitialWeights, "sha256">>;

function hashOf(file: string): string {
  if (!existsSync(file)) throw new MissingFileError(`${file} does not exist, which should hold the weights`);
  if (statSync(file).isDirectory()) throw new RangeError(`${file} is a folder, and no file of weights`);
  return fileSha256(file);
}

/** Schema of an option that takes a file's path, or what a run stored of it. */
export const initialWeightsOption = z
  .union([
    z.string(),
    z.strictObject({
      file: z.string(),
      sha256: z.string().optional(),
      key: z.string().optional(),
      prefix: z.string().optional(),
    }),
  ])
  .transform((given, context): InitialWeights => {
    const { file, sha256, ...choice } = typeof given === "string" ? { file: given } : given;
    try {
      return { file, sha256: sha256 ?? hashOf(file), ...choice };
    } catch (error) {
      context.issues.push({ code: "custom", message: (error as Error).message, input: given });
      return z.NEVER;
    }
  })
  .meta({
    accepted: "a file in safetensors, or a PyTorch checkpoint",
    placeholder: "FILE",
  }) as unknown as z.ZodType<InitialWeights, InitialWeightsInput | string>;

/**
 * Gives a model the weights to begin with. FileFormatError where the file holds others than the run began
 * with.
 */
export function loadInitialWeights({ module }: Model, { file, sha256, key, prefix }: InitialWeights): void {
  const found = hashOf(file);
  if (found !== sha256) {
    const hashes = `SHA-256 ${found.slice(0, 8)}, not ${sha256.slice(0, 8)}`;
    throw new FileFormatError(`${file}: not the weights that the run began with (${hashes})`);
  }
  loadWeights(file, module, { key, prefix });
}
