import type { Tensor } from "../tensor.js";

/**
 * Processes that train one model together, each a rank. All of them must make the same calls in the same
 * order: a call returns when every rank has made it.
 */
export interface Ranks {
  /** Place of this process among them, from 0. */
  readonly rank: number;
  readonly size: number;
  /** True for rank 0, which alone writes files and tells of the work. */
  readonly isFirst: boolean;
  /**
   * Says where this rank's tensors lie, `cpu` or `cuda:N`, before the first call with one of a CUDA device.
   * Each rank has a device of its own.
   */
  useDevice(device: string): void;
  /** Sums of tensors over the ranks, float32: the same bits on every rank. */
  sumTensors(tensors: readonly Tensor[]): readonly Tensor[];
  /** Sums of numbers over the ranks. */
  sum(numbers: readonly number[]): number[];
  /** Tells whether any rank says so. */
  any(flag: boolean): boolean;
  /** Value that the first rank makes, on every rank; where it throws, others throw a FirstRankError. */
  fromFirst<T>(make: () => T): T;
  /** Brings the first rank's tensors into those of every rank, in place. */
  copyFirst(tensors: readonly Tensor[]): void;
  /**
   * Says that all ranks end from here on, whatever their exit codes. Without it a rank that ends with a code
   * other than 0 ends the others.
   */
  endTogether(): void;
}

/** Error of the first rank, on another: the first one tells of it and ends with its code. */
export class FirstRankError extends Error {
  override readonly name = "FirstRankError";
}

/** A process by itself, which has nothing to share. */
export const alone: Ranks = {
  rank: 0,
  size: 1,
  isFirst: true,
  useDevice: () => {},
  sumTensors: (tensors) => tensors,
  sum: (numbers) => [...numbers],
  any: (flag) => flag,
  fromFirst: (make) => make(),
  copyFirst: () => {},
  endTogether: () => {},
};
