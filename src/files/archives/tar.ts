import { FileFormatError, shownName } from "../../base/index.js";

/** A regular file out of a tar archive. */
export interface TarFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Most bytes that are read: of one file, and of the whole archive, which may be packed to a thousandth of
 * them.
 */
export interface TarLimits {
  readonly file: number;
  readonly total: number;
}

const blockBytes = 512;
const text = new TextDecoder("latin1");

/** Takes bytes out of a stream in pieces of wanted lengths. */
class ChunkReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  /** Bytes that were asked for. */
  asked = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next bytes, fewer only at the stream's end. */
  async take(length: number): Promise<Uint8Array> {
    this.asked += length;
    const taken = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#rest.length === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) return taken.subarray(0, filled);
        // Not as a Buffer, whose slices are others.
        this.#rest = new Uint8Array(next.value.buffer, next.value.byteOffset, next.value.length);
      }
      const piece = this.#rest.subarray(0, length - filled);
      taken.set(piece, filled);
      filled += piece.length;
      this.#rest = this.#rest.subarray(piece.length);
    }
    return taken;
  }
}

function field(header: Uint8Array, from: number, to: number): string {
  return text.decode(header.subarray(from, to)).split("\0")[0]!;
}

function octal(header: Uint8Array, from: number, to: number): number | undefined {
  const digits = field(header, from, to).trim();
  return /^[0-7]{1,11}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

/** The sum that a header states of its own bytes, its own field counted as spaces. */
function checksumFits(header: Uint8Array): boolean {
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return octal(header, 148, 156) === sum;
}

/**
 * The regular files of a tar archive, one after the other; links, folders and extensions are passed over.
 *
 * Throws a FileFormatError that begins with `archive` for bytes that are no tar archive, one that is cut off,
 * or more bytes than the limits allow. Source: POSIX.1-2017, pax, "ustar interchange format".
 */
export async function* readTar(
  chunks: AsyncIterable<Uint8Array>,
  archive: string,
  limits: TarLimits,
): AsyncGenerator<TarFile, void> {
  const reader = new ChunkReader(chunks);
  for (;;) {
    const header = await reader.take(blockBytes);
    if (header.every((byte) => byte === 0) && header.length === blockBytes) return;
    if (header.length < blockBytes) throw new FileFormatError(`${archive}: cut off in the middle`);
    const size = octal(header, 124, 136);
    if (!checksumFits(header) || size === undefined)
      throw new FileFormatError(`${archive}: not a tar archive`);
    const [prefix, short] = [field(header, 345, 500), field(header, 0, 100)];
    const name = prefix === "" ? short : `${prefix}/${short}`;
    const shown = shownName(name);
    if (size > limits.file) {
      throw new FileFormatError(`${archive}: ${shown} has ${size} bytes, ${limits.file} at most`);
    }
    if (reader.asked + size > limits.total) {
      throw new FileFormatError(`${archive}: unpacks to more than the ${limits.total} bytes expected`);
    }
    const bytes = await reader.take(size);
    const padding = await reader.take((blockBytes - (size % blockBytes)) % blockBytes);
    if (bytes.length < size || (padding.length + size) % blockBytes !== 0) {
      throw new FileFormatError(`${archive}: cut off in ${shown}`);
    }
    const type = String.fromCharCode(header[156]!);
    if (type === "0" || type === "\0") yield { name, bytes };
  }
}
