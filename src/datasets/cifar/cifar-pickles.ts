import { createHash } from "node:crypto";
import { FileFormatError } from "../../base/index.js";
import { fileBytes, PickledArray, readNumpyPickle } from "../../files/index.js";
import type { MemoryData } from "../split.js";

const imageBytes = 3072;
/** No official file has more: 50,000 images and their names. */
const mostBytes = 2 ** 28;

/** File of CIFAR's version for Python, as torchvision leaves it. */
export interface PickledFile {
  readonly path: string;
  /** MD5 of the official file, which is checked where given. */
  readonly checksum?: string | undefined;
}

/** Form of the files for Python. */
export interface PickleForm {
  readonly name: string;
  /** Name of the list of labels. */
  readonly labels: string;
  readonly classes: number;
}

function readFile({ path, checksum }: PickledFile, { name, labels: key, classes }: PickleForm) {
  const source = fileBytes(path);
  const refuse = (problem: string) => new FileFormatError(`${path}: ${problem}`);
  if (source.size > mostBytes) throw refuse(`${source.size} bytes, more than any file of ${name} has`);
  const bytes = source.read(0, source.size);
  const found = createHash("md5").update(bytes).digest("hex");
  if (checksum !== undefined && found !== checksum)
    throw refuse(
      `not the official ${name} file: MD5 ${found}, expected ${checksum}; ` +
        `to use it all the same, give ${name}(checksums=false)`,
    );
  const value = readNumpyPickle(bytes, path);
  const [images, labels] = value instanceof Map ? [value.get("data"), value.get(key)] : [];
  if (!(images instanceof PickledArray) || !Array.isArray(labels))
    throw refuse(`it has no array "data" and no list "${key}", as ${name}'s files for Python have`);
  if (images.shape.length !== 2 || images.shape[1] !== imageBytes || images.shape[0] !== labels.length)
    throw refuse(`its data of shape [${images.shape}] do not fit ${labels.length} labels of 32 x 32 images`);
  const wrong = labels.findIndex(
    (label) => typeof label !== "number" || !Number.isInteger(label) || label < 0 || label >= classes,
  );
  if (wrong >= 0)
    throw refuse(`label ${String(labels[wrong])} of image ${wrong}, expected 0 to ${classes - 1}`);
  return { images: images.bytes, labels: labels as number[] };
}

/**
 * Images and labels of CIFAR's files for Python, one after the other; nothing of their pickles is executed.
 *
 * @throws FileFormatError that names the file at fault
 */
export function readCifarPickles(files: readonly PickledFile[], form: PickleForm): MemoryData {
  const parts = files.map((file) => readFile(file, form));
  const count = parts.reduce((sum, { labels }) => sum + labels.length, 0);
  const images = new Uint8Array(count * imageBytes);
  let at = 0;
  for (const part of parts) {
    images.set(part.images, at);
    at += part.images.length;
  }
  return { images, labels: Uint8Array.from(parts.flatMap(({ labels }) => labels)), count };
}
