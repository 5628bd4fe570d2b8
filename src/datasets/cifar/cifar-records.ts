import { createHash } from "node:crypto";
import { FileFormatError } from "../../base/index.js";
import { fileBytes } from "../../files/index.js";
import type { MemoryData } from "../split.js";

/** Bytes of an image: the red, green and blue planes of 32 x 32 bytes each. */
const imageBytes = 3072;
/** No official file has more. */
const mostBytes = 2 ** 28;

/** Form of the binary files of CIFAR-10 and CIFAR-100. */
export interface RecordForm {
  readonly name: string;
  /** Bytes of label before an image; the last of them is the class. */
  readonly labelBytes: number;
  readonly classes: number;
}

/** One file's records, their number and labels checked, with a checksum its SHA-1 too. */
function readRecords(file: string, checksum: string | undefined, form: RecordForm): Uint8Array {
  const { name, labelBytes, classes } = form;
  const recordBytes = labelBytes + imageBytes;
  const source = fileBytes(file);
  const { size } = source;
  if (size === 0 || size % recordBytes !== 0 || size > mostBytes) {
    throw new FileFormatError(
      `${file}: ${size} bytes are not a whole number of records of ${recordBytes} bytes: ` +
        "truncated or damaged",
    );
  }
  const bytes = source.read(0, size);
  for (let at = labelBytes - 1; at < size; at += recordBytes) {
    if (bytes[at]! < classes) continue;
    throw new FileFormatError(
      `${file}: label ${bytes[at]} in record ${Math.floor(at / recordBytes)}, expected 0 to ${classes - 1}`,
    );
  }
  if (checksum === undefined) return bytes;
  const found = createHash("sha1").update(bytes).digest("hex");
  if (found === checksum) return bytes;
  throw new FileFormatError(
    `${file}: not the official ${name} file: SHA-1 ${found}, expected ${checksum}; ` +
      `to use it all the same, give ${name}(checksums=false)`,
  );
}

/** Images and labels of files, one after the other; FileFormatError that names the file at fault. */
export function readCifar(
  files: readonly { readonly path: string; readonly checksum?: string | undefined }[],
  form: RecordForm,
): MemoryData {
  const { labelBytes } = form;
  const recordBytes = labelBytes + imageBytes;
  const records = files.map(({ path, checksum }) => readRecords(path, checksum, form));
  const count = records.reduce((sum, bytes) => sum + bytes.length / recordBytes, 0);
  const images = new Uint8Array(count * imageBytes);
  const labels = new Uint8Array(count);
  let index = 0;
  for (const bytes of records) {
    for (let at = 0; at < bytes.length; at += recordBytes, index++) {
      labels[index] = bytes[at + labelBytes - 1]!;
      images.set(bytes.subarray(at + labelBytes, at + recordBytes), index * imageBytes);
    }
  }
  return { images, labels, count };
}
