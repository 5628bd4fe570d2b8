import { checkKind, FileFormatError } from "../../base/index.js";
import { scope, type Tensor, tensor } from "../../engine/index.js";
import {
  isTorchCheckpoint,
  plainNames,
  readCheckpointWeights,
  readSealed,
  type SafetensorsTensor,
  someNames,
  type WeightsChoice,
  writeSealed,
} from "../../files/index.js";
import { lackingPrefix, likelyPrefix, matchNames } from "../../models/index.js";
import { loadState, Module, Normalize } from "../../nn/index.js";

/** Types of weights that a file holds as float32, which has all their values. */
const kept: readonly string[] = ["float32", "float16", "bfloat16"];

/** Throws a TypeError for weights that a file of float32 cannot hold. */
export function checkKept(values: Iterable<Tensor>): void {
  for (const { dtype } of values) {
    if (kept.includes(dtype)) continue;
    const remedy = "train it in float32 (in PyTorch, call model.float() before you export it)";
    throw new TypeError(`weights must be float32, not ${dtype}: ${remedy}`);
  }
}

/** Tensor as a file holds it, in float32. */
export function plain(value: Tensor): SafetensorsTensor {
  checkKept([value]);
  return { dtype: "float32", shape: [...value.shape], data: value.toArray() as Float32Array };
}

function checkWeightsFile(path: string, module: Module): void {
  checkKind("path", path, "the path of a file of weights", typeof path === "string");
  checkKind(
    "module",
    module,
    "a Module, such as small().build({ seed: 0 }).module",
    module instanceof Module,
  );
}

/**
 * Writes a module's weights as safetensors: float32, PyTorch's names and layouts.
 *
 * @example saveWeights("weights.safetensors", model.module)
 */
export function saveWeights(path: string, module: Module, metadata: Record<string, string> = {}): void {
  checkWeightsFile(path, module);
  writeSealed(
    path,
    [...module.state()].map(([name, value]) => [name, plain(value)] as const),
    metadata,
  );
}

/** Tensors of a file, which must hold floats. */
export function toTensors(
  path: string,
  tensors: ReadonlyMap<string, SafetensorsTensor>,
): Map<string, Tensor> {
  return new Map(
    [...tensors].map(([name, { dtype, shape, data }]) => {
      if (dtype !== "float32")
        throw new FileFormatError(`${path}: tensor "${name}" must hold floats, not integers`);
      return [name, tensor(data, shape)];
    }),
  );
}

/** Tensor of a file of weights; bfloat16 becomes the float32 of the same value. */
function widened(value: SafetensorsTensor): SafetensorsTensor {
  if (value.dtype !== "bfloat16") return value;
  const data = new Float32Array(Uint32Array.from(value.data, (bits) => bits << 16).buffer);
  return { dtype: "float32", shape: value.shape, data };
}

/** Reads tensors of safetensors, whose seal is checked, or of a PyTorch checkpoint. */
function tensorsOf(
  path: string,
  { remark = () => {}, ...choice }: LoadOptions,
): Map<string, SafetensorsTensor> {
  if (isTorchCheckpoint(path)) {
    const { tensors, remarks } = readCheckpointWeights(path, choice);
    for (const text of remarks) if (!text.startsWith("written: ")) remark(text);
    return new Map(tensors);
  }
  if (choice.key !== undefined) throw new RangeError(`key: ${path} is safetensors, which has no keys`);
  return plainNames(readSealed(path).tensors, choice.prefix);
}

/** Choice of the weights in a file, and who is told of what was passed over. */
export interface LoadOptions extends WeightsChoice {
  readonly remark?: ((text: string) => void) | undefined;
}

/** RangeError where a file's model normalizes images otherwise than the module. */
function checkStatistics(module: Module, mean: SafetensorsTensor, std: SafetensorsTensor): void {
  const own = module.inputTransforms.find((transform) => transform instanceof Normalize);
  const same = (found: SafetensorsTensor, numbers: readonly number[] | undefined) =>
    found.data.length === numbers?.length &&
    numbers.every((number, i) => Math.abs(number - Number(found.data[i])) <= 1e-3 * (1 + Math.abs(number)));
  if (same(mean, own?.mean) && same(std, own?.std)) return;
  const text = (numbers: ArrayLike<number | bigint>) =>
    `[${Array.from(numbers, (number) => Number(Number(number).toPrecision(4))).join(", ")}]`;
  const ours = own === undefined ? "does not" : `does so by ${text(own.mean)} and ${text(own.std)}`;
  throw new RangeError(
    `the weights are of a network that normalizes images by mean ${text(mean.data)} and std ` +
      `${text(std.data)}, and the model ${ours}: give the architecture mean=${text(mean.data)}, ` +
      `std=${text(std.data)}`,
  );
}

/** Tensors under a module's own names, which the file may spell as other code of the field does. */
function underOwnNames(
  module: Module,
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  remark: (text: string) => void,
): ReadonlyMap<string, SafetensorsTensor> {
  const given = [...tensors.keys()];
  const wanted = new Set(module.state().keys());
  const match = matchNames(given, wanted);
  if (match === undefined) {
    const lacking = lackingPrefix(given, wanted);
    if (lacking !== undefined) {
      throw new RangeError(
        `all names lack "${lacking}", with which the model's begin: give the architecture of the part that ` +
          "the weights are of, or save the state dict of the whole model",
      );
    }
    const prefix = likelyPrefix(given, wanted);
    if (prefix === undefined || prefix === "") return tensors;
    throw new RangeError(
      `the weights of the model are under "${prefix}", among others: choose them by --prefix ${prefix}`,
    );
  }
  const { names, prefix, statistics, unused } = match;
  if (statistics !== undefined)
    checkStatistics(module, tensors.get(statistics.mean)!, tensors.get(statistics.std)!);
  if (prefix !== "") remark(`without the prefix "${prefix}" of the names`);
  const others = unused.filter((name) => !name.endsWith("num_batches_tracked"));
  if (others.length > 0) remark(`left out, for the model does not use them: ${someNames(others)}`);
  return new Map([...names].map(([own, name]) => [own, tensors.get(name)!]));
}

/**
 * Reads weights into a module, of safetensors or of a PyTorch checkpoint (.pt, .pth), of which nothing is
 * executed. Names may be those of pytorch-cifar, torchvision, RobustBench, TRADES or Hugging Face, and those
 * that wrappers such as DataParallel and `torch.compile` make. Numbers of any type become float32.
 *
 * @param options `key` says where in a checkpoint the weights are, `prefix` with what their names begin
 * @throws FileFormatError that names the file, when a name or a shape does not fit, or the file was damaged
 */
export function loadWeights(path: string, module: Module, options: LoadOptions = {}): void {
  checkWeightsFile(path, module);
  const { remark = () => {} } = options;
  scope(() => {
    try {
      const stored = tensorsOf(path, options);
      // PyTorch's batch normalization counts its batches; nothing here depends on the count.
      for (const name of stored.keys()) if (name.endsWith("num_batches_tracked")) stored.delete(name);
      const named = underOwnNames(module, stored, remark);
      loadState(module, toTensors(path, new Map([...named].map(([name, value]) => [name, widened(value)]))));
    } catch (error) {
      if (error instanceof RangeError)
        throw new FileFormatError(`${path}: ${error.message}`, { cause: error });
      throw error;
    }
  });
}
