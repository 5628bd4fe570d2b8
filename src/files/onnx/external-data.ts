import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { entryAt, FileFormatError, shownName } from "../../base/index.js";
import type { OnnxTensor } from "./proto.js";

/** Bytes that the weights of one model may take in files beside it. */
const mostExternalBytes = 2 ** 34;

/** One tensor takes no more: a typed array's limit in some versions of Node. */
const mostTensorBytes = 2 ** 31;

const knownKeys = ["location", "offset", "length", "checksum"];

/** Folder of a Hugging Face cache, `models--.../`: its files are links to `blobs/` in the same folder. */
function cacheOf(folder: string): string | undefined {
  const parts = resolve(folder).split(sep);
  const at = parts.map((part) => part.startsWith("models--")).lastIndexOf(true);
  return at >= 0 && parts[at + 1] === "snapshots" ? parts.slice(0, at + 1).join(sep) : undefined;
}

/** Reader of tensors that lie in files beside a model; reads none of them twice at a time. */
export class ExternalData {
  readonly #open = new Map<string, { readonly descriptor: number; readonly size: number }>();
  readonly #folder: string;
  #left = mostExternalBytes;

  /** @param file path of the model; its files have to lie in the same folder */
  constructor(readonly file: string) {
    this.#folder = dirname(file);
  }

  /**
   * Bytes of a tensor that lies outside of the model's file.
   *
   * @throws FileFormatError for a place that is not a plain file of the model's folder, or outside of it
   */
  read(tensor: OnnxTensor): Uint8Array {
    const entries = tensor.external ?? new Map<string, string>();
    const refuse = (problem: string) =>
      new FileFormatError(`${this.file}: tensor "${shownName(tensor.name)}": ${problem}`);
    const unknown = [...entries.keys()].find((key) => !knownKeys.includes(key));
    if (unknown !== undefined) throw refuse(`external data has an unknown key "${shownName(unknown)}"`);
    const location = entries.get("location");
    if (location === undefined) throw refuse("external data has no location");
    const { descriptor, size } = this.#file(location, refuse);
    const number = (key: string, absent: number): number => {
      const text = entries.get(key);
      if (text === undefined) return absent;
      if (!/^\d{1,15}$/.test(text)) throw refuse(`external data has the ${key} "${shownName(text)}"`);
      return Number(text);
    };
    const offset = number("offset", 0);
    const length = number("length", size - offset);
    if (length < 0 || offset + length > size) {
      throw refuse(
        `bytes ${offset} to ${offset + length} of "${shownName(location)}" are wanted, which has ${size}`,
      );
    }
    this.#left -= length;
    if (length > mostTensorBytes || this.#left < 0) throw refuse("external data is over the limit of 16 GiB");
    return readRange(descriptor, offset, length, refuse);
  }

  close(): void {
    for (const { descriptor } of this.#open.values()) closeSync(descriptor);
    this.#open.clear();
  }

  #file(location: string, refuse: (problem: string) => FileFormatError) {
    const known = this.#open.get(location);
    if (known !== undefined) return known;
    const isPlain =
      location !== "" && location !== "." && location !== ".." && basename(location) === location;
    if (!isPlain || /[\\\0:]/.test(location)) {
      throw refuse(
        `external data lies in "${shownName(location)}"; only a file of the model's own folder is read, by ` +
          "its plain name",
      );
    }
    const descriptor = openSync(this.#placeOf(location, refuse), constants.O_RDONLY | constants.O_NOFOLLOW);
    const status = fstatSync(descriptor);
    const opened = { descriptor, size: status.size };
    this.#open.set(location, opened);
    if (!status.isFile()) throw refuse(`"${shownName(location)}" is no regular file`);
    const isLinked = status.nlink !== 1 && cacheOf(this.#folder) === undefined;
    if (isLinked)
      throw refuse(`"${shownName(location)}" has ${status.nlink} hard links: copy it, to be read`);
    return opened;
  }

  /** The path to open: a link is followed inside of a Hugging Face cache only. */
  #placeOf(location: string, refuse: (problem: string) => FileFormatError): string {
    const path = join(this.#folder, location);
    const status = entryAt(path);
    if (status === undefined) {
      throw refuse(
        `its elements lie in "${shownName(location)}", which is not beside the model: put it there`,
      );
    }
    if (status.isFile()) return path;
    const cache = cacheOf(this.#folder);
    if (!status.isSymbolicLink()) throw refuse(`"${shownName(location)}" is no regular file`);
    const real = realpathSync(path);
    if (cache !== undefined && real.startsWith(`${realpathSync(cache)}${sep}`)) return real;
    throw refuse(`"${shownName(location)}" is a link, which is not followed: put the file itself there`);
  }
}

function readRange(
  descriptor: number,
  offset: number,
  length: number,
  refuse: (problem: string) => FileFormatError,
): Uint8Array {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const got = readSync(descriptor, bytes, filled, Math.min(length - filled, 2 ** 30), offset + filled);
    if (got === 0) throw refuse("its file became shorter while it was read");
    filled += got;
  }
  return bytes;
}
