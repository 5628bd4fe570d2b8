/**
 * Mutates images, arrays, lists and parquet files, and reads them: each must be refused by an error that names
 * the file, or give images. By hand, thousands: npx tsx test/files/image-fuzz.ts 2000
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wordStream } from "../../src/base/index.js";
import { type Dataset, imagesFrom, prepareImages } from "../../src/datasets/index.js";
import { pngOf, writeClasses } from "../datasets/image-files.js";

const golden = new URL("../golden/images", import.meta.url).pathname;
const goldenFile = (name: string) => readFileSync(join(golden, name));

/** Kind of files. */
interface Format {
  original(): Buffer;
  /** Place of a mutated one, so that it is read. */
  readonly file: string;
  /** Has a checksum of its numbers: those of a file that is taken are the original's. */
  readonly checked?: boolean;
}

/** Kinds of files by name. */
export const formats: Readonly<Record<string, Format>> = {
  npz: { original: () => goldenFile("nhwc.npz"), file: "x.npz", checked: true },
  "npz, compressed": { original: () => goldenFile("splits.npz"), file: "x.npz", checked: true },
  "npz, floats": { original: () => goldenFile("floats.npz"), file: "x.npz", checked: true },
  npy: { original: () => goldenFile("images.npy"), file: "x.npy" },
  png: { original: () => goldenFile("wide.png"), file: "classes/a/0.png", checked: true },
  "png, palette": { original: () => goldenFile("palette.png"), file: "classes/a/0.png", checked: true },
  jpeg: { original: () => goldenFile("tall.jpg"), file: "classes/a/0.png" },
  "jpeg, progressive": { original: () => goldenFile("progressive.jpg"), file: "classes/a/0.png" },
  "jpeg, inks": { original: () => goldenFile("cmyk.jpg"), file: "classes/a/0.png" },
  webp: { original: () => goldenFile("lossless.webp"), file: "classes/a/0.png" },
  csv: { original: () => Buffer.from('path,label\n"classes/a/0.png",a\nclasses/b/0.png,b\n'), file: "x.csv" },
  parquet: { original: () => goldenFile("parquet/train-00000-of-00001.parquet"), file: "x.parquet" },
  "parquet, gzip": { original: () => goldenFile("parquet/test-00000-of-00001.parquet"), file: "x.parquet" },
};

/** Numbers that break counts and sizes. */
const extremes = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** A changed copy: bits, bytes, extreme numbers, cuts, repeats and exchanged parts. */
export function mutated(original: Buffer, word: () => number): Buffer {
  let bytes = Buffer.from(original);
  for (let times = 1 + (word() % 4); times > 0; times--) {
    const at = word() % Math.max(1, bytes.length);
    const kind = word() % 7;
    if (kind === 0) bytes[at]! ^= 1 << (word() % 8);
    else if (kind === 1) bytes[at] = word() % 256;
    else if (kind === 2 && at + 4 <= bytes.length)
      bytes.writeUInt32LE(extremes[word() % extremes.length]!, at);
    else if (kind === 3 && at + 4 <= bytes.length)
      bytes.writeUInt32BE(extremes[word() % extremes.length]!, at);
    else if (kind === 4) bytes = bytes.subarray(0, at);
    else if (kind === 5) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(word() % (at + 1))]);
    else
      bytes.copy(
        bytes,
        word() % Math.max(1, bytes.length),
        at,
        Math.min(bytes.length, at + 1 + (word() % 32)),
      );
  }
  return bytes;
}

export interface FuzzResult {
  readonly refused: number;
  readonly accepted: number;
  /** Longest time that a file took, in milliseconds. */
  readonly slowest: number;
  /** Most memory above the start, in bytes. */
  readonly memory: number;
  /** Messages of the first errors. */
  readonly reasons: readonly string[];
  /** Errors that name no file, or that are of a kind that no reader throws. */
  readonly wrong: readonly string[];
}

/** Reads all images of a data set, those that do not lie in files too, and returns their numbers. */
async function readAll({ test }: Dataset): Promise<string> {
  await prepareImages(test);
  const pixels =
    test.stored === undefined
      ? test.images
      : test.stored.read(Int32Array.from({ length: Math.min(test.count, 1000) }, (_, i) => i));
  const isPixel = (value: number) => value >= 0 && value <= (pixels instanceof Uint8Array ? 255 : 1);
  if (!pixels.every(isPixel)) throw new Error("pixels out of range");
  const isClass = (label: number) => label >= 0 && label < test.classNames.length;
  if (!test.labels.every(isClass) || test.labels.length !== test.count)
    throw new Error("labels out of range");
  return `${Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength).toString("base64")} ${test.labels}`;
}

/** Reads `count` mutated files of a format. */
export async function fuzz(
  format: string,
  count: number,
  seed: number,
  change: typeof mutated = mutated,
): Promise<FuzzResult> {
  const folder = mkdtempSync(join(tmpdir(), "sqa-fuzz-"));
  const cacheBefore = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = join(folder, "cache");
  const { original: read, file, checked = false } = formats[format]!;
  const original = read();
  const word = wordStream(seed);
  const before = process.memoryUsage.rss();
  const found = {
    refused: 0,
    accepted: 0,
    slowest: 0,
    memory: 0,
    reasons: [] as string[],
    wrong: [] as string[],
  };
  try {
    writeClasses(join(folder, "classes"), ["a", "b"], 1);
    writeFileSync(join(folder, "y.npy"), goldenFile("labels.npy"));
    writeFileSync(join(folder, "classes/b/0.png"), pngOf(1, 1));
    const path = join(folder, file);
    const readIt = (bytes: Buffer) => {
      writeFileSync(path, bytes);
      const isImage = file.startsWith("classes");
      const options = isImage || file.endsWith("csv") ? { size: 16 } : {};
      return readAll(imagesFrom(isImage ? join(folder, "classes") : path, options));
    };
    const whole = checked ? await readIt(original) : "";
    for (let i = 0; i < count; i++) {
      const bytes = change(original, word);
      const began = performance.now();
      try {
        const numbers = await readIt(bytes);
        found.accepted++;
        if (checked && numbers !== whole) found.wrong.push(`${format} ${i}: other numbers were taken`);
      } catch (error) {
        found.refused++;
        const { name, message } = error as Error;
        if (found.reasons.length < 10) found.reasons.push(message);
        const named = message.includes(folder) || name === "RangeError";
        if (!named || name === "TypeError") found.wrong.push(`${format} ${i}: ${name}: ${message}`);
      }
      found.slowest = Math.max(found.slowest, performance.now() - began);
      found.memory = Math.max(found.memory, process.memoryUsage.rss() - before);
    }
  } finally {
    if (cacheBefore === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = cacheBefore;
    rmSync(folder, { recursive: true });
  }
  return found;
}

if (process.argv[1]?.endsWith("image-fuzz.ts") === true) {
  const [count, seed] = [Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 1)];
  for (const format of Object.keys(formats)) {
    const { wrong, reasons: _, ...figures } = await fuzz(format, count, seed);
    const { refused, accepted, slowest, memory } = figures;
    const line = `${refused} refused, ${accepted} read, slowest ${Math.round(slowest)} ms, ${Math.round(memory / 1e6)} MB`;
    process.stdout.write(
      `${format}: ${line}, ${wrong.length} wrong\n${wrong.slice(0, 5).join("\n")}${wrong.length > 0 ? "\n" : ""}`,
    );
  }
}
