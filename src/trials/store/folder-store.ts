import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  FileFormatError,
  makeFolder,
  readTextFile,
  removeAbandoned,
  writeFileAtomic,
} from "../../base/index.js";
import { type Tensor, tensor } from "../../engine/index.js";
import { readSafetensors, writeSafetensors } from "../../files/index.js";
import type { BatchRecord } from "../batch-record.js";
import type { Trial } from "../trial.js";
import { keptBatch } from "./kept-batch.js";
import type { BatchPlace, BatchPlan, TrialStore } from "./store.js";

/**
 * Keeps trials in a folder, as `trials/<hash of the trial and its code>/<first image>-<last image>.json` and,
 * where images are kept, `.safetensors`. Each file is replaced atomically; a record holds the SHA-256 of its
 * numbers and images.
 */
export class FolderStore implements TrialStore {
  /** Folders that were made, and rid of what killed writers left. */
  readonly #prepared = new Set<string>();

  readonly keepsImages: boolean;

  constructor(
    readonly folder: string,
    { images = true }: { readonly images?: boolean } = {},
  ) {
    this.keepsImages = images;
  }

  #prepare(folder: string): void {
    // Another process of the same work may have ended, and removed it.
    if (this.#prepared.has(folder) && existsSync(folder)) return;
    makeFolder(folder);
    removeAbandoned(folder);
    this.#prepared.add(folder);
  }

  #path(trial: Trial, { first, count }: BatchPlace): string {
    const { id, code = "" } = trial;
    const hash = createHash("sha256").update(id).update(code).digest("hex").slice(0, 12);
    const [from, to] = [first, first + count - 1].map((position) => String(position).padStart(5, "0"));
    return join(this.folder, "trials", hash, `${from}-${to}`);
  }

  has(trial: Trial, place: BatchPlace): boolean {
    const path = this.#path(trial, place);
    return existsSync(`${path}.json`) && (!this.keepsImages || existsSync(`${path}.safetensors`));
  }

  read(trial: Trial, plan: BatchPlan): BatchRecord | undefined {
    if (!this.has(trial, plan)) return undefined;
    const path = this.#path(trial, plan);
    const [file, images] = [`${path}.json`, `${path}.safetensors`];
    const { id, sha256, ...record } = attempt(file, () => keptBatch(JSON.parse(readTextFile(file)), plan));
    if (id !== trial.id) throw fault(file, "not of the trial that its folder is named after");
    const shown = existsSync(images) ? attempt(images, () => imagesIn(images)) : undefined;
    const wanted = [plan.count, ...plan.shape];
    if (shown !== undefined && shown.shape.join() !== wanted.join()) {
      throw fault(images, `holds images of [${shown.shape.join(", ")}], not [${wanted.join(", ")}]`);
    }
    if (sha256 !== checksum(id, record, shown?.data))
      throw fault(file, "its checksum is not that of its numbers and images");
    return record;
  }

  write(trial: Trial, place: BatchPlace, record: BatchRecord, images: Tensor | undefined): void {
    const path = this.#path(trial, place);
    this.#prepare(join(path, ".."));
    const file = `${path}.safetensors`;
    const shown = this.keepsImages ? images! : undefined;
    const data = shown && (shown.toArray() as Float32Array);
    if (data === undefined) rmSync(file, { force: true });
    else writeSafetensors(file, [["images", { dtype: "float32", shape: shown!.shape, data }]]);
    const sha256 = checksum(trial.id, record, data);
    // The record comes last: where it is, the images are.
    writeFileAtomic(`${path}.json`, `${JSON.stringify({ id: trial.id, sha256, ...record })}\n`);
  }

  remove(trial: Trial, place: BatchPlace): void {
    const path = this.#path(trial, place);
    // The record goes first: where it is, the images are.
    for (const file of [`${path}.json`, `${path}.safetensors`]) rmSync(file, { force: true });
  }

  images(trial: Trial, place: BatchPlace): Tensor {
    const { data, shape } = imagesIn(`${this.#path(trial, place)}.safetensors`);
    return tensor(data, shape);
  }

  /** JSON under a name; undefined where the file is damaged as well, since a note can be made again. */
  readNote(name: string): unknown {
    const file = join(this.folder, `${name}.json`);
    if (!existsSync(file)) return undefined;
    try {
      return JSON.parse(readTextFile(file));
    } catch {
      return undefined;
    }
  }

  writeNote(name: string, note: unknown): void {
    this.#prepare(this.folder);
    writeFileAtomic(join(this.folder, `${name}.json`), `${JSON.stringify(note)}\n`);
  }
}

/** SHA-256 of a batch: its trial, its numbers in the order of their names, and its images, if kept. */
function checksum(id: string, record: BatchRecord, pixels: Float32Array | undefined): string {
  const sorted = Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash("sha256").update(JSON.stringify([id, sorted]));
  if (pixels !== undefined) hash.update(new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength));
  return hash.digest("hex");
}

function fault(file: string, message: string, cause?: unknown): FileFormatError {
  return new FileFormatError(`${file}: ${message}; delete it to run that batch again`, { cause });
}

function attempt<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fault(file, (error as Error).message.replace(`${file}: `, ""), error);
  }
}

/** Images in [0, 1] that a file holds. */
function imagesIn(file: string): { data: Float32Array; shape: readonly number[] } {
  const found = readSafetensors(file).tensors.get("images");
  if (found?.dtype !== "float32") throw new FileFormatError(`${file}: holds no float32 tensor "images"`);
  const { data, shape } = found;
  if (!data.every((pixel) => pixel >= 0 && pixel <= 1))
    throw new FileFormatError(`${file}: pixels outside [0, 1]`);
  return { data, shape };
}
