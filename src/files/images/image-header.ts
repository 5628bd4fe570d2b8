import { FileFormatError } from "../../base/index.js";

/** Format and size of an encoded image, as its header says. */
export interface ImageHeader {
  readonly format: "PNG" | "JPEG" | "WebP";
  readonly width: number;
  readonly height: number;
  /** Four inks, as print shops write JPEGs. */
  readonly cmyk?: boolean;
}

/** More pixels than these are refused: decoded they would take some 300 MB. */
export const mostPixels = 2 ** 26;

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const textAt = (bytes: Uint8Array, from: number, to: number) =>
  Buffer.from(bytes.subarray(from, to)).toString("latin1");

/**
 * Reads the header of a PNG, JPEG or WebP image.
 *
 * Throws a FileFormatError, which begins with `file`, for any other format, for a truncated header, and for
 * more than 2^26 pixels. Sources: the PNG specification, ITU-T T.81 and T.86, the WebP container
 * specification.
 *
 * PNGs in gray with 16 bits are refused, too: programs disagree on what their numbers mean.
 */
export function imageHeader(bytes: Uint8Array, file: string): ImageHeader {
  const header = pngHeader(bytes, file) ?? webpHeader(bytes) ?? jpegHeader(bytes, file);
  if (header === undefined)
    throw new FileFormatError(`${file}: not an image in PNG, JPEG or WebP${hintOf(bytes)}`);
  const { width, height } = header;
  if (width < 1 || height < 1) throw new FileFormatError(`${file}: an image of ${width} x ${height} pixels`);
  if (width * height > mostPixels) {
    throw new FileFormatError(
      `${file}: ${width} x ${height} pixels are more than the ${mostPixels} that are decoded`,
    );
  }
  return header;
}

/** Says what a file is instead. */
function hintOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return ": it is empty";
  const start = textAt(bytes, 0, 12);
  if (start.startsWith("GIF8")) return ": it is a GIF";
  if (start.startsWith("BM")) return ": it is a BMP";
  if (/^(II\*\0|MM\0\*)/.test(start)) return ": it is a TIFF";
  if (start.slice(4, 8) === "ftyp") return ": it is a HEIC or AVIF";
  if (/^\s*<(?:!doctype|html)/i.test(textAt(bytes, 0, 64))) return ": it is a web page";
  if (/^\s*<(?:svg|\?xml)/i.test(textAt(bytes, 0, 64))) return ": it is an SVG or other XML";
  if (start.startsWith("version https")) return ": it is a Git LFS pointer, which git lfs pull replaces";
  return "";
}

function pngHeader(bytes: Uint8Array, file: string): ImageHeader | undefined {
  if (bytes.length < 26 || textAt(bytes, 0, 8) !== "\x89PNG\r\n\x1a\n") return undefined;
  if (textAt(bytes, 12, 16) !== "IHDR") return undefined;
  // Bit depth and color type, 0 for gray.
  if (bytes[24] === 16 && bytes[25] === 0) {
    throw new FileFormatError(
      `${file}: a gray PNG of 16 bits, which PIL's convert("RGB") cuts off at 255 and other ` +
        "programs scale: save it with 8 bits",
    );
  }
  const view = viewOf(bytes);
  return { format: "PNG", width: view.getUint32(16), height: view.getUint32(20) };
}

function webpHeader(bytes: Uint8Array): ImageHeader | undefined {
  if (bytes.length < 30 || textAt(bytes, 0, 4) !== "RIFF" || textAt(bytes, 8, 12) !== "WEBP")
    return undefined;
  const view = viewOf(bytes);
  const size = (width: number, height: number): ImageHeader => ({ format: "WebP", width, height });
  const kind = textAt(bytes, 12, 16);
  if (kind === "VP8 ") return size(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff);
  if (kind === "VP8L") {
    const bits = view.getUint32(21, true);
    return size((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
  }
  if (kind !== "VP8X") return undefined;
  const side = (at: number) => 1 + view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
  return size(side(24), side(27));
}

/** Markers that begin a frame: all of C0 to CF but DHT, JPG and DAC. */
const beginsFrame = (marker: number) =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

function jpegHeader(bytes: Uint8Array, file: string): ImageHeader | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || bytes[2] !== 0xff) return undefined;
  const view = viewOf(bytes);
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) break;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (beginsFrame(marker)) {
      const inks = bytes[at + 9] === 4 ? { cmyk: true } : {};
      return { format: "JPEG", width: view.getUint16(at + 7), height: view.getUint16(at + 5), ...inks };
    }
    at += 2 + view.getUint16(at + 2);
  }
  throw new FileFormatError(`${file}: a JPEG without the beginning of its picture: truncated or damaged`);
}
