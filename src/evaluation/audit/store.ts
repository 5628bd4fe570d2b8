import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../engine/atomic-file.js";
import { FileFormatError, type Tensor, tensor } from "../../engine/index.js";
import { makeFolder } from "../../engine/make-folder.js";
import { readSafetensors, writeSafetensors } from "../../engine/safetensors.js";
import { type Trial, type TrialBatch, trialLabel } from "./trial.js";

/** Where what an audit has found is kept: a killed audit goes on behind its last finished batch. */
export interface TrialStore {
  read(trial: Trial, batch: number): TrialBatch | undefined;
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

  read(trial: Trial, batch: number): TrialBatch | undefined {
    const path = this.#path(trial, batch);
    const file = `${path}.json`;
    // Numbers whose images are gone could not be shown at the end.
    if (!existsSync(file) || !existsSync(`${path}.safetensors`)) return undefined;
    try {
      const { label, ...record } = JSON.parse(readFileSync(file, "utf8")) as TrialBatch & { label: string };
      if (label === trialLabel(trial)) return record;
    } catch (cause) {
      throw new FileFormatError(`${file}: ${(cause as Error).message}; delete it to run that batch again`, { cause });
    }
    throw new FileFormatError(`${file}: not of the trial that its folder is named after; delete ${this.folder}`);
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
    const { tensors } = readSafetensors(`${this.#path(trial, batch)}.safetensors`);
    const { data, shape } = tensors.get("images")!;
    return tensor(data as Float32Array, shape);
  }
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
