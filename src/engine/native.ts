import { createRequire } from "node:module";
import { resolve } from "node:path";
import { TensorError } from "../base/index.js";
import { findAddon } from "./addon-file.js";
import type { CudaAbilities } from "./device/device-name.js";

/** A native tensor: an external that owns an at::Tensor. Only the engine sees it. */
export type Handle = { readonly __handle: unique symbol };

/** Argument of an operator across the border; undefined stands for the schema's default. */
export type NativeArgument =
  | Handle
  | number
  | boolean
  | string
  | null
  | undefined
  | readonly (Handle | number | boolean | null)[];

/** Result of an operator. */
export type NativeResult = Handle | number | boolean | null | undefined | readonly NativeResult[];

/** Facts that the addon tells of libtorch and of itself. */
export interface Versions extends CudaAbilities {
  /** The instruction set of libtorch's kernels. */
  readonly cpuCapability: string;
  /** The instruction set of the addon's own kernels: "AVX512", "AVX2" or "portable". */
  readonly kernels: string;
}

/**
 * Form in which a stream of noise crosses the border; `words` is a seed in a tensor, which then stands for
 * low and high.
 */
export type NoiseWords = [low: number, high: number, draw: number, stream: number, words: Handle | null];

/** The addon's exports; see native/bridge/. */
interface Native {
  findOperator(name: string, overload: string): number;
  schema(index: number): string;
  call(index: number, args: readonly NativeArgument[]): NativeResult;
  grad(
    outputs: readonly Handle[],
    inputs: readonly Handle[],
    gradients: readonly Handle[] | null,
    keepGraph: boolean,
    createGraph: boolean,
  ): (Handle | null)[];
  fromBytes(
    buffer: ArrayBufferLike,
    offset: number,
    length: number,
    shape: readonly number[],
    type: number,
  ): Handle;
  toBytes(tensor: Handle, share: boolean): ArrayBuffer;
  describe(tensor: Handle): { shape: number[]; type: number; device: string; requiresGrad: boolean };
  limitMemory(bytes: number): void;
  writeBytes(tensor: Handle, buffer: ArrayBufferLike, offset: number, length: number): void;
  setRequiresGrad(tensor: Handle, flag: boolean): void;
  dispose(tensor: Handle): void;
  setCollectable(tensor: Handle, flag: boolean): void;
  setGradEnabled(flag: boolean): boolean;
  setThreads(threads: number): void;
  threads(): number;
  versions(): Versions;
  memory(): { tensors: number; bytes: number; collectableBytes: number };
  quantizeActivation(
    h: Handle,
    lambda: number,
    range: number,
    nearest: boolean,
    ...rest: [...NoiseWords, imageIds: Handle | null, uniforms: Handle | null]
  ): Handle;
  convBlock(
    input: Handle,
    weight: Handle,
    bias: Handle,
    bfloat16: boolean,
    lambda: number,
    nearest: boolean,
    ...rest: [...NoiseWords, imageIds: Handle | null]
  ): Handle;
  packWeights(
    weight: Handle,
    geometry: readonly number[],
    images: readonly [height: number, width: number],
  ): [forward: Handle, backward: Handle];
  packedLayer(
    input: Handle,
    residual: Handle | null,
    forward: Handle,
    backward: Handle,
    weight: Handle,
    bias: Handle | null,
    taken: number,
    given: number,
    geometry: readonly number[],
    isLinear: boolean,
    relu: boolean,
  ): Handle;
  tiledConvolution(input: Handle, weight: Handle): Handle;
  tiledChannels(): number;
  version(tensor: Handle): number;
  countedUniform(imageIds: Handle, elementShape: readonly number[], ...noise: NoiseWords): Handle;
  sgdUpdate(
    parameters: readonly Handle[],
    gradients: readonly Handle[],
    velocities: readonly Handle[],
    factor: Handle,
    momentum: number,
    weightDecay: number,
    nesterov: boolean,
  ): void;
  signStep(points: Handle, gradient: Handle, length: number, images: Handle | null, radius: number): Handle;
  signStep_(points: Handle, gradient: Handle, length: number, images: Handle | null, radius: number): void;
  weightedDraws(weights: Handle, uniforms: Handle): Handle;
  signalsArrived(number: number): number;
  openDevice(device: number): void;
  searchConvolutions(flag: boolean): void;
  beginGraph(device: number): number;
  endGraph(graph: number): void;
  replayGraph(graph: number): void;
  disposeGraph(graph: number): void;
  joinByMpi(library: string): { rank: number; size: number };
  joinByGloo(
    host: string,
    port: number,
    serves: 0 | 1,
    name: string,
    address: string,
    networkInterface: string,
    rank: number,
    size: number,
  ): { rank: number; size: number };
  joinDevices(device: number): void;
  leaveRanks(code: number): void;
  sumTensors(tensors: readonly Handle[]): Handle[];
  sumNumbers(numbers: Float64Array): void;
  bytesOfFirst(bytes: Uint8Array): void;
  tensorsOfFirst(tensors: readonly Handle[]): void;
  sharedBatchNorm(
    input: Handle,
    weight: Handle,
    bias: Handle,
    runningMean: Handle,
    runningVariance: Handle,
    momentum: number,
    epsilon: number,
  ): Handle;
  setErrorClass(errorClass: typeof TensorError): void;
}

let loaded: Native | undefined;

/**
 * The addon, loaded at first use.
 *
 * @throws Error where there is none, or the system cannot load it.
 */
export function native(): Native {
  if (loaded === undefined) {
    // Threads that spin while they wait for work take the cores from everybody else: on a busy machine two
    // such threads were 5 times slower than one. OpenMP reads this when it is loaded.
    process.env.OMP_WAIT_POLICY ??= "passive";
    loaded = createRequire(import.meta.url)(resolve(findAddon().path)) as Native;
    loaded.setErrorClass(TensorError);
  }
  return loaded;
}
