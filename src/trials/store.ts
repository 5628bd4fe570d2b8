import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FileFormatError, makeFolder, writeFileAtomic } from "../base/index.js";
import { type Tensor, tensor } from "../engine/index.js";
import { readSafetensors, writeSafetensors } from "../files/index.js";
import { keptBatch } from "./kept-batch.js";
import { type Trial, trialLabel } from "./trial.js";
import type { TrialBatch } from "./trial-result.js";

/** What a batch must hold to be of this audit: images of a shape (C, H, W), answered in so many draws. */
export interface BatchPlan {
  readonly count: number;
  readonly draws: number;
  readonly shape: readonly [number, number, number];
}

/** Where what an audit has found is kept: a killed audit goes on behind its last finished batch. */
export interface TrialStore {
  /** What is kept of a batch; undefined where nothing is. Throws a FileFormatError where it is not of the plan. */
  read(trial: Trial, batch: number, plan: BatchPlan): TrialBatch | undefined;
  write(trial: Trial, batch: number, record: TrialBatch, images: Tensor): void;
  /** The images (N, C, H, W) that a kept batch showed; the caller owns them. */
  images(trial: Trial, batch: number): Tensor;
}

/** Keeps trials in a folder: `trials/<hash of the trial>/<batch>.json` and `.safetensors`, each replaced atomically. */
export class FolderStore implements TrialStore {
  constructor(readonly folder: string) {}

  #path(trial: Trial, batch: number): string {
    const hash = createHash("sha256").update(trialLabel(trial)).digest("hex").slice(0, 12);
    return join(this.folder, "trials", hash, String(batch).padStart(4, "0"));
  }

  read(trial: Trial, batch: number, plan: BatchPlan): TrialBatch | undefined {
    const path = this.#path(trial, batch);
    const [file, images] = [`${path}.json`, `${path}.safetensors`];
    // Numbers whose images are gone could not be shown at the end.
    if (!existsSync(file) || !existsSync(images)) return undefined;
    const faulty = (name: string, fault: string, cause?: unknown) =>
      new FileFormatError(`${name}: ${fault}; delete it to run that batch again`, { cause });
    const { label, ...record } = attempt(
      () => keptBatch(JSON.parse(readFileSync(file, "utf8")), plan),
      (error) => faulty(file, error.message, error),
    );
    if (label !== trialLabel(trial)) throw faulty(file, "not of the trial that its folder is named after");
    const { shape } = attempt(
      () => imagesOf(images),
      (error) => faulty(images, error.message.replace(`${images}: `, ""), error),
    );
    const wanted = [plan.count, ...plan.shape];
    if (shape.join() !== wanted.join()) {
      throw faulty(images, `holds images of [${shape.join(", ")}], not [${wanted.join(", ")}]`);
    }
    return record;
  }

  write(trial: Trial, batch: number, record: TrialBatch, images: Tensor): void {
    const path = this.#path(trial, batch);
    makeFolder(join(path, ".."));
    const data = images.toArray() as Float32Array;
    writeSafetensors(`${path}.safetensors`, [["images", { dtype: "float32", shape: images.shape, data }]]);
    // The record comes last: where it is, the images are.
    writeFileAtomic(`${path}.json`, `${JSON.stringify({ label: trialLabel(trial), ...record })}\n`);
  }

  images(trial: Trial, batch: number): Tensor {
    const { data, shape } = imagesOf(`${this.#path(trial, batch)}.safetensors`);
    return tensor(data, shape);
  }
}

function attempt<T>(work: () => T, failed: (error: Error) => Error): T {
  try {
    return work();
  } catch (error) {
    throw failed(error as Error);
  }
}

/** The images that a file holds, which lie in [0, 1]. */
function imagesOf(file: string): { data: Float32Array; shape: readonly number[] } {
  const found = readSafetensors(file).tensors.get("images");
  if (found?.dtype !== "float32") throw new FileFormatError(`${file}: holds no float32 tensor "images"`);
  const { data, shape } = found;
  if (!data.every((pixel) => pixel >= 0 && pixel <= 1)) throw new FileFormatError(`${file}: pixels outside [0, 1]`);
  return { data, shape };
}

/** Keeps trials in memory. */
export class MemoryStore implements TrialStore {
  readonly #records = new Map<string, { record: TrialBatch; pixels: Float32Array; shape: readonly number[] }>();

  #key(trial: Trial, batch: number): string {
    return `${batch} ${trialLabel(trial)}`;
  }

  read(trial: Trial, batch: number): TrialBatch | undefined {
    return this.#records.get(this.#key(trial, batch))?.record;
  }

  write(trial: Trial, batch: number, record: TrialBatch, images: Tensor): void {
    const pixels = Float32Array.from(images.toArray() as Float32Array);
    this.#records.set(this.#key(trial, batch), { record, pixels, shape: images.shape });
  }

  images(trial: Trial, batch: number): Tensor {
    const { pixels, shape } = this.#records.get(this.#key(trial, batch))!;
    return tensor(pixels, shape);
  }
}
