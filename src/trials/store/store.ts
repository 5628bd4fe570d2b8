import { FileFormatError } from "../../base/index.js";
import { type Tensor, tensor } from "../../engine/index.js";
import type { BatchRecord } from "../batch-record.js";
import type { Trial } from "../trial.js";

/** Place of a batch: the position of its first image, and its number of images. */
export interface BatchPlace {
  readonly first: number;
  readonly count: number;
}

/** Batch that is asked for: images of a shape (C, H, W), each answered in so many draws. */
export interface BatchPlan extends BatchPlace {
  readonly draws: number;
  readonly shape: readonly [number, number, number];
}

/** Keeps the outcomes of batches, so that stopped trials continue behind the last one. */
export interface TrialStore {
  /** Tells whether images under attack are kept, which reports show and later trials continue. */
  readonly keepsImages: boolean;
  /** Tells whether a batch is kept, with its images where the store keeps them. */
  has(trial: Trial, place: BatchPlace): boolean;
  /**
   * Record of a batch; undefined where none is kept. FileFormatError where it is damaged, or of another plan.
   */
  read(trial: Trial, plan: BatchPlan): BatchRecord | undefined;
  /** Keeps a batch; the images are undefined where they are not kept. */
  write(trial: Trial, place: BatchPlace, record: BatchRecord, images: Tensor | undefined): void;
  /** Forgets a batch, if it is kept. */
  remove(trial: Trial, place: BatchPlace): void;
  /** Images (N, C, H, W) on the CPU that a kept batch showed; the caller owns them. */
  images(trial: Trial, place: BatchPlace): Tensor;
  /** JSON that was kept under a name beside the trials; undefined where there is none. */
  readNote(name: string): unknown;
  writeNote(name: string, note: unknown): void;
}

/** Batch in memory. */
interface Kept {
  readonly record: BatchRecord;
  /** Undefined where images are not kept. */
  readonly shown: { readonly pixels: Float32Array; readonly shape: readonly number[] } | undefined;
}

/** Keeps trials in memory. */
export class MemoryStore implements TrialStore {
  readonly keepsImages: boolean;
  readonly #records = new Map<string, Kept>();
  readonly #notes = new Map<string, unknown>();

  constructor({ images = true }: { readonly images?: boolean } = {}) {
    this.keepsImages = images;
  }

  #key(trial: Trial, { first, count }: BatchPlace): string {
    return `${first} ${count} ${trial.id} ${trial.code ?? ""}`;
  }

  has(trial: Trial, place: BatchPlace): boolean {
    return this.#records.has(this.#key(trial, place));
  }

  read(trial: Trial, plan: BatchPlan): BatchRecord | undefined {
    const kept = this.#records.get(this.#key(trial, plan));
    if (kept === undefined) return undefined;
    const { draws } = kept.record;
    const shape = kept.shown?.shape.slice(1) ?? plan.shape;
    const of = `batch of ${plan.count} images from ${plan.first} on, ${trial.id}`;
    if (draws !== plan.draws) throw new FileFormatError(`${of}: kept in ${draws} draws, not ${plan.draws}`);
    if (shape.join() !== plan.shape.join()) {
      throw new FileFormatError(`${of}: kept of shape [${shape.join(", ")}], not [${plan.shape.join(", ")}]`);
    }
    return kept.record;
  }

  write(trial: Trial, place: BatchPlace, record: BatchRecord, images: Tensor | undefined): void {
    const pixels = () => Float32Array.from(images!.toArray() as Float32Array);
    const shown = this.keepsImages ? { pixels: pixels(), shape: images!.shape } : undefined;
    this.#records.set(this.#key(trial, place), { record, shown });
  }

  remove(trial: Trial, place: BatchPlace): void {
    this.#records.delete(this.#key(trial, place));
  }

  images(trial: Trial, place: BatchPlace): Tensor {
    const { pixels, shape } = this.#records.get(this.#key(trial, place))!.shown!;
    return tensor(pixels, shape);
  }

  readNote(name: string): unknown {
    return this.#notes.get(name);
  }

  writeNote(name: string, note: unknown): void {
    this.#notes.set(name, note);
  }
}
