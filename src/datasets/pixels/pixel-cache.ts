import { createHash } from "node:crypto";
import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { FileFormatError, makeFolder, messageOf } from "../../base/index.js";
import { cacheFolder } from "../cache-folder.js";
import { keepWithin, pixelCacheLimit, UseMark } from "./cache-limit.js";

const hashBytes = 32;
/** Record of an image: the SHA-256 of its encoded form, then that of its pixels. */
const recordBytes = 2 * hashBytes;

/** Bytes written between two looks at what all data sets take together. */
const bytesBetweenLooks = 2 ** 28;

/** Folder of decoded images. */
const pixelCacheFolder = () => cacheFolder("pixels");

export const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

/**
 * Decoded images on the disk: a file of their bytes and a file of records, which say of which encoded form
 * they are. Nothing is taken from it that does not fit its record, so that a damaged, an old or a shared
 * cache costs time and nothing else. All data sets together have a limit (`SQA_PIXEL_CACHE_GB`): those that
 * no process uses go, the longest unused first.
 */
export class PixelCache {
  readonly #pixels: string;
  readonly #records: string;
  readonly #imageBytes: number;
  readonly #limit = pixelCacheLimit();
  readonly #mark: UseMark;
  #written = 0;
  /** Room for an image that is only looked at. */
  #looked: Uint8Array | undefined;

  /** @param key all that decides the pixels, and where they come from */
  constructor(key: string, imageBytes: number) {
    const folder = join(pixelCacheFolder(), createHash("sha256").update(key).digest("hex").slice(0, 32));
    try {
      makeFolder(folder);
      this.#mark = new UseMark(folder);
      keepWithin(pixelCacheFolder(), this.#limit);
    } catch (error) {
      const reason = messageOf(error);
      throw new Error(
        `decoded images cannot be kept: ${reason}; set XDG_CACHE_HOME to a folder that can be written`,
      );
    }
    this.#pixels = join(folder, "pixels.bin");
    this.#records = join(folder, "records.bin");
    this.#imageBytes = imageBytes;
  }

  /** Tells whether an image is there, decoded from this encoded form. */
  has(index: number, encoded: Buffer): boolean {
    const record = readAt(this.#records, index * recordBytes, Buffer.alloc(recordBytes));
    if (record?.subarray(0, hashBytes).equals(encoded) !== true) return false;
    this.#looked ??= new Uint8Array(this.#imageBytes);
    return this.#isRead(index, this.#looked);
  }

  /** Keeps an image. A process that is killed between the two writes leaves no record of it. */
  put(index: number, encoded: Buffer, pixels: Uint8Array): void {
    writeAt(this.#pixels, index * this.#imageBytes, pixels);
    writeAt(this.#records, index * recordBytes, Buffer.concat([encoded, sha256(pixels)]));
    this.#written += pixels.length;
    if (this.#written < bytesBetweenLooks) return;
    this.#written = 0;
    keepWithin(pixelCacheFolder(), this.#limit);
  }

  /** Reads the pixels of an image that is there into an array of their number. */
  read(index: number, into: Uint8Array, name: string): void {
    this.#mark.renew();
    if (this.#isRead(index, into)) return;
    throw new FileFormatError(
      `${this.#pixels}: the decoded form of ${name} was removed or damaged meanwhile: start again`,
    );
  }

  /** Reads an image's pixels; false where they do not fit its record. */
  #isRead(index: number, into: Uint8Array): boolean {
    const record = readAt(this.#records, index * recordBytes, Buffer.alloc(recordBytes));
    const pixels = record && readAt(this.#pixels, index * this.#imageBytes, into);
    return pixels !== undefined && sha256(pixels).equals(record!.subarray(hashBytes));
  }
}

/** Fills an array with bytes of a file; undefined where it has not as many, or is not there. */
function readAt<Bytes extends Uint8Array>(path: string, offset: number, bytes: Bytes): Bytes | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    if (!fstatSync(descriptor).isFile()) return undefined;
    for (let done = 0; done < bytes.length; ) {
      const count = readSync(descriptor, bytes, done, bytes.length - done, offset + done);
      if (count === 0) return undefined;
      done += count;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

function writeAt(path: string, offset: number, bytes: Uint8Array): void {
  let descriptor: number | undefined;
  try {
    // Another process may have taken a folder away that nobody used just before.
    mkdirSync(dirname(path), { recursive: true });
    // "r+" alone leaves what is there; "a" makes the file where there is none.
    closeSync(openSync(path, "a"));
    descriptor = openSync(path, "r+");
    for (let done = 0; done < bytes.length; )
      done += writeSync(descriptor, bytes, done, bytes.length - done, offset + done);
  } catch (error) {
    const reason = messageOf(error);
    throw new Error(`decoded images cannot be kept: ${reason}; XDG_CACHE_HOME names another folder`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
