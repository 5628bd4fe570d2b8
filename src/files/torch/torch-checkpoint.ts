import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { FileFormatError, MissingFileError, shownName } from "../../base/index.js";
import { listedNames, readStoredZip } from "../archives/zip.js";
import { fileKind, remedyOf } from "../file-kind.js";
import { isTorchScript, torchScriptProblem, wholeModuleProblem } from "../pt2/recipe.js";
import { elementCount, isCount } from "../safetensors-header.js";
import {
  isKey,
  notAllowed,
  PickleError,
  PickleGlobal,
  type PickleReader,
  PickleUnread,
  type PickleValue,
} from "./pickle-values.js";
import { StridedTensor, storageTypes, TorchStorage } from "./torch-storage.js";
import { unpickle } from "./unpickle.js";

/** Contents of a checkpoint: plain containers, numbers, text and tensors. */
export type CheckpointValue = PickleValue<TorchStorage | StridedTensor>;

/** Larger files are refused: Node reads no more at once. */
const maxBytes = 2 ** 31 - 1;

/** libtorch takes no more axes in most operators. */
const mostAxes = 64;

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= mostAxes && value.every(isCount);
}

/**
 * `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, ...)`, checked to lie inside its storage.
 */
function rebuildTensor(args: readonly CheckpointValue[]): CheckpointValue | undefined {
  const [storage, offset, shape, strides] = args;
  const metadata = args[6];
  // A storage of a type that is not read: so is the tensor.
  if (storage instanceof PickleUnread) return storage;
  if (!(storage instanceof TorchStorage) || !isCount(offset) || !isCounts(shape) || !isCounts(strides))
    return undefined;
  if (shape.length !== strides.length) return undefined;
  const size = elementCount(shape);
  const place = `at ${offset} of storage "${shownName(storage.key)}"`;
  const shown = `a tensor of shape [${shape}] with strides [${strides}] ${place}`;
  // A view may repeat elements without end; weights do not.
  if (size === undefined || size > storage.count) {
    throw new PickleError(`${shown} has more elements than the ${storage.count} of its storage`);
  }
  const last = shape.reduce((sum, side, axis) => sum + (side - 1) * strides[axis]!, offset);
  if (size > 0 && last >= storage.count)
    throw new PickleError(`${shown} ends behind the ${storage.count} elements`);
  // Views such as the imaginary part of a conjugate have their elements' signs beside them.
  const isNegated = metadata instanceof Map && [...metadata.values()].some((bit) => bit !== false);
  if (isNegated) throw new PickleError(`${shown} is negated when it is read: save its resolve_neg()`);
  return new StridedTensor(storage, offset, shape, strides);
}

/** A dictionary of pairs, as `OrderedDict` takes them. */
function orderedDict(args: readonly CheckpointValue[]): CheckpointValue | undefined {
  if (args.length === 0) return new Map();
  const [pairs] = args;
  if (args.length > 1 || !Array.isArray(pairs)) return undefined;
  const isPair = (pair: CheckpointValue): pair is [CheckpointValue, CheckpointValue] =>
    Array.isArray(pair) && pair.length === 2 && isKey(pair[0]);
  return pairs.every(isPair) ? new Map(pairs) : undefined;
}

const emptyDict = () => new Map();
const data = ([given]: readonly CheckpointValue[]) =>
  given instanceof StridedTensor || given instanceof PickleUnread ? given : undefined;

const functions: Readonly<Record<string, (args: readonly CheckpointValue[]) => CheckpointValue | undefined>> =
  {
    "collections.OrderedDict": orderedDict,
    "collections.defaultdict": emptyDict,
    "torch._utils._rebuild_tensor": rebuildTensor,
    "torch._utils._rebuild_tensor_v2": rebuildTensor,
    "torch._utils._rebuild_parameter": data,
    "torch._utils._rebuild_parameter_with_state": data,
    "torch.Size": ([sizes]) => (isCounts(sizes) ? sizes : undefined),
  };

/**
 * Tensors may share storages, as tied weights do, and grow when they are written, int8 to int64; many times
 * is a bomb.
 */
const mostTimesWritten = 16;
const alwaysWritten = 2 ** 26;

/** Bytes that the tensors of an archive may have once they are written. */
export const mostWritten = (archiveBytes: number) => Math.max(alwaysWritten, mostTimesWritten * archiveBytes);

/**
 * Storages out of the archive's files, each checked against its size; `archiveBytes` limits what is made of
 * them.
 */
function checkpointReader(folder: string, files: ReadonlyMap<string, Uint8Array>, archiveBytes: number) {
  const storages = new Map<string, TorchStorage>();
  let [entries, written] = [0, 0];
  /** Many dictionaries may be made of one list, and many tensors of one storage. */
  const charge = (made: CheckpointValue | undefined): void => {
    if (made instanceof Map) entries += made.size;
    if (made instanceof StridedTensor) written += made.size * made.writtenBytes;
    const limit = mostWritten(archiveBytes);
    if (written > limit) {
      throw new PickleError(
        `its tensors have more than ${limit} bytes once they are written, out of a file of ${archiveBytes}` +
          ": too many share storages",
      );
    }
    if (entries > archiveBytes) throw new PickleError("its dictionaries have more entries than it has bytes");
  };
  const reader: PickleReader<TorchStorage | StridedTensor> = {
    reads: (name) => Object.hasOwn(functions, name) || Object.hasOwn(storageTypes, name),
    call(name, args) {
      const made = Object.hasOwn(functions, name) ? functions[name]!(args) : undefined;
      charge(made);
      return made;
    },
    persistent(id) {
      const [kind, type, key, , count] = Array.isArray(id) ? (id as CheckpointValue[]) : [];
      if (
        kind !== "storage" ||
        !(type instanceof PickleGlobal) ||
        typeof key !== "string" ||
        !isCount(count)
      ) {
        throw new PickleError("it refers to something that is no tensor's storage");
      }
      const bytes = files.get(`${folder}data/${key}`);
      if (bytes === undefined) {
        throw new PickleError(`it refers to storage "${shownName(key)}", which the archive lacks`);
      }
      if (!Object.hasOwn(storageTypes, type.name)) {
        const unread = new PickleUnread(type.name);
        unread.holdsMade = true;
        return unread;
      }
      const storage = new TorchStorage(key, storageTypes[type.name]!, count, bytes);
      const before = storages.get(key);
      if (before !== undefined && (before.type !== storage.type || before.count !== count)) {
        throw new PickleError(`it gives storage "${shownName(key)}" two types or sizes`);
      }
      if (before === undefined) storages.set(key, storage);
      return before ?? storage;
    },
  };
  return reader;
}

/** Tells whether a file begins as a checkpoint of PyTorch does: a zip archive, or an older one's pickle. */
export function isTorchCheckpoint(file: string): boolean {
  if (!existsSync(file) || !statSync(file).isFile()) return false;
  const descriptor = openSync(file, "r");
  try {
    const bytes = Buffer.alloc(16);
    const kind = fileKind(bytes.subarray(0, readSync(descriptor, bytes, 0, 16, 0)));
    return kind === "zip" || kind === "pickle";
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads a PyTorch checkpoint (.pt, .pth: a zip archive with a pickle). Nothing of it is executed: beside
 * tensors, plain containers, numbers and text, objects such as a script's arguments are passed over as a
 * `PickleUnread`.
 *
 * Throws a FileFormatError that begins with the file, also for one that is truncated, compressed, damaged,
 * big-endian, or in the format before PyTorch 1.6. Tensors are views into the file until they are asked for
 * their elements.
 */
export function readTorchCheckpoint(file: string): CheckpointValue {
  if (!existsSync(file)) throw new MissingFileError(`checkpoint ${file} does not exist`);
  const status = statSync(file);
  if (!status.isFile()) throw new FileFormatError(`${file}: not a regular file`);
  if (status.size > maxBytes)
    throw new FileFormatError(`${file}: ${status.size} bytes, more than ${maxBytes} are not read`);
  const bytes = readFileSync(file);
  if (bytes.length < 4 || bytes.readUInt32LE(0) !== 0x04034b50) {
    throw new FileFormatError(
      `${file}: not a checkpoint of PyTorch 1.6 or later (a zip archive); ` +
        (remedyOf(bytes, "zip") ?? "older ones must be saved again by torch.save"),
    );
  }
  if (isTorchScript(listedNames(bytes))) throw new FileFormatError(`${file}: ${torchScriptProblem}`);
  const files = readStoredZip(bytes, file);
  const pickles = [...files.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1)
    throw new FileFormatError(`${file}: a checkpoint has one data.pkl, this has ${pickles.length}`);
  const folder = pickles[0]!.slice(0, -"data.pkl".length);
  const order = files.get(`${folder}byteorder`);
  if (order !== undefined && Buffer.from(order).toString() !== "little") {
    throw new FileFormatError(`${file}: its numbers are big-endian, which is not read`);
  }
  try {
    const value = unpickle(files.get(pickles[0]!)!, checkpointReader(folder, files, bytes.length));
    if (value instanceof PickleUnread || value instanceof PickleGlobal) {
      const { message } = notAllowed(value.name);
      throw new PickleError(`${message}. ${wholeModuleProblem}`);
    }
    return value;
  } catch (error) {
    if (error instanceof PickleError)
      throw new FileFormatError(`${file}: data.pkl: ${error.message}`, { cause: error });
    throw error;
  }
}
