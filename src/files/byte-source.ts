import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { FileFormatError, MissingFileError, statusAt } from "../base/index.js";

/** Bytes that are read in parts, out of a file or out of memory. */
export interface ByteSource {
  /** Name in errors. */
  readonly name: string;
  readonly size: number;
  /** Bytes from `offset` on; a FileFormatError where there are fewer. */
  read(offset: number, length: number): Uint8Array;
}

/** Bytes in memory. */
export function memoryBytes(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    size: bytes.length,
    read(offset, length) {
      checkRange(name, bytes.length, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/**
 * Bytes of a file, which is open only while it is read.
 *
 * @throws MissingFileError for a file that is not there, FileFormatError for what is no regular file, and
 *   from `read` where it was changed meanwhile
 */
export function fileBytes(path: string): ByteSource {
  const first = withFile(path, (descriptor) => stateOf(path, descriptor));
  return {
    name: path,
    size: first.size,
    read(offset, length) {
      checkRange(path, first.size, offset, length);
      return withFile(path, (descriptor) => {
        const now = stateOf(path, descriptor);
        if (now.size !== first.size || now.changed !== first.changed)
          throw new FileFormatError(`${path}: it was changed while it was in use: start again`);
        const bytes = new Uint8Array(length);
        for (let done = 0; done < length; ) {
          const count = readSync(descriptor, bytes, done, length - done, offset + done);
          if (count === 0) throw new FileFormatError(`${path}: it ends at byte ${offset + done}: truncated`);
          done += count;
        }
        return bytes;
      });
    },
  };
}

/** Part of other bytes. */
export function partOf(whole: ByteSource, start: number, size: number, name = whole.name): ByteSource {
  checkRange(name, whole.size, start, size);
  return {
    name,
    size,
    read(offset, length) {
      checkRange(name, size, offset, length);
      return whole.read(start + offset, length);
    },
  };
}

function withFile<T>(path: string, work: (descriptor: number) => T): T {
  const descriptor = opened(path);
  try {
    return work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function opened(path: string): number {
  try {
    // Without O_NONBLOCK a named pipe would wait for a writer, without end.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (statusAt(path) !== undefined) throw cause;
    throw new MissingFileError(`cannot read ${path}: there is no such file`, { cause });
  }
}

function stateOf(path: string, descriptor: number): { readonly size: number; readonly changed: number } {
  const status = fstatSync(descriptor);
  if (!status.isFile()) throw new FileFormatError(`${path}: not a regular file`);
  return { size: status.size, changed: status.mtimeMs };
}

function checkRange(name: string, size: number, offset: number, length: number): void {
  const fits = offset >= 0 && length >= 0 && offset + length <= size;
  if (!fits || !Number.isSafeInteger(offset + length)) {
    throw new FileFormatError(
      `${name}: truncated or damaged: ${length} bytes are asked for at ${offset}, and it has ${size}`,
    );
  }
}
