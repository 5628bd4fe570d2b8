import { createHash } from "node:crypto";
import { closeSync, createReadStream, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip, gunzipSync, constants as zlib } from "node:zlib";
import {
  entryAt,
  FileFormatError,
  makeFolder,
  removeAbandoned,
  shownName,
  writeFileAtomic,
  writeNewFile,
} from "../../base/index.js";
import { readTar } from "../../files/index.js";
import { isFile } from "../sources/regular-file.js";
import { type DownloadOptions, download } from "./download.js";

/** A data set's official archive: where it is published, and the SHA-1 of the files in it that are wanted. */
export interface DatasetArchive {
  readonly url: string;
  readonly checksums: Readonly<Record<string, string>>;
  /** The largest size of the archive and of a file in it. */
  readonly maxBytes: number;
  /** The largest size of all that it unpacks to. */
  readonly maxUnpackedBytes: number;
}

export interface FetchOptions extends Pick<DownloadOptions, "signal" | "patience" | "onProgress"> {
  /** Replaces files of the wanted names that are not the official ones, as in the program's own folder. */
  readonly replace?: boolean | undefined;
  /** Told of what is no error. */
  onRemark?(text: string): void;
}

function sha1(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("hex");
}

/** Tells whether a gzip file holds another one: some servers compress what is compressed already. */
function isTwice(file: string): boolean {
  const descriptor = openSync(file, "r");
  try {
    const head = Buffer.alloc(4096);
    const length = readSync(descriptor, head);
    const begin = gunzipSync(head.subarray(0, length), { finishFlush: zlib.Z_SYNC_FLUSH });
    return begin[0] === 0x1f && begin[1] === 0x8b;
  } catch {
    return false;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Hands each wanted file of an archive on, once it is found to be the official one. Throws a FileFormatError,
 * which begins with `shown`, where any is not.
 */
async function unpack(
  file: string,
  shown: string,
  wanted: readonly string[],
  { checksums, maxBytes, maxUnpackedBytes }: DatasetArchive,
  keep: (name: string, bytes: Uint8Array) => void,
): Promise<void> {
  const missing = new Set(wanted);
  const stages: Readable[] = [createReadStream(file)];
  for (let unzips = isTwice(file) ? 2 : 1; unzips > 0; unzips--) {
    const unzip = createGunzip();
    stages.push(
      stages
        .at(-1)!
        .on("error", (error) => unzip.destroy(error))
        .pipe(unzip),
    );
  }
  const chunks = stages.at(-1)!;
  try {
    for await (const { name, bytes } of readTar(chunks, shown, { file: maxBytes, total: maxUnpackedBytes })) {
      const short = basename(name);
      if (!missing.has(short)) continue;
      const [sum, expected] = [sha1(bytes), checksums[short]];
      if (sum !== expected) {
        throw new FileFormatError(
          `${shown}: ${shownName(name)} is not the official file: SHA-1 ${sum}, expected ${expected}`,
        );
      }
      keep(short, bytes);
      missing.delete(short);
      if (missing.size === 0) return;
    }
  } catch (cause) {
    // The errors of zlib: the archive is damaged or none.
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code?.startsWith("Z_") !== true) throw cause;
    throw new FileFormatError(`${shown}: ${message}`, { cause });
  } finally {
    for (const stage of stages) stage.destroy();
  }
  throw new FileFormatError(`${shown}: holds no ${[...missing].join(", ")}`);
}

/**
 * Fills a folder with an archive's files, each checked by SHA-1, and returns whether any was missing.
 *
 * They come out of the archive itself where it lies in the folder, which is then left as it is. Else it is
 * downloaded to a hidden file, from where an earlier download broke off. Throws an Error that names the
 * address or the file at fault; then a damaged download is gone, and the next call begins anew. Nothing else
 * that is in the folder is replaced without `replace`: what has the name of a wanted file is an Error before
 * anything is downloaded.
 */
export async function fetchArchive(
  archive: DatasetArchive,
  folder: string,
  options: FetchOptions = {},
): Promise<boolean> {
  const { replace = false, onRemark } = options;
  const isOfficial = (name: string) => {
    const file = join(folder, name);
    return isFile(file) && sha1(readFileSync(file)) === archive.checksums[name];
  };
  const missing = Object.keys(archive.checksums).filter((name) => !isOfficial(name));
  if (missing.length === 0) return false;
  const taken = missing.find((name) => entryAt(join(folder, name)) !== undefined);
  if (taken !== undefined && !replace) {
    const file = join(folder, taken);
    throw new Error(
      `${file} is there already and is not the official file; --force replaces it, or give another folder`,
    );
  }
  makeFolder(folder);
  removeAbandoned(folder);
  const keep = (name: string, bytes: Uint8Array) => {
    if (replace) writeFileAtomic(join(folder, name), bytes);
    else writeNewFile(join(folder, name), bytes);
  };

  const name = basename(new URL(archive.url).pathname) || "archive.tar.gz";
  const own = join(folder, name);
  if (isFile(own)) {
    try {
      await unpack(own, own, missing, archive, keep);
      onRemark?.(`unpacked ${own}, which is left as it is`);
      return true;
    } catch (error) {
      if (!(error instanceof FileFormatError)) throw error;
      onRemark?.(`${error.message}; it is left as it is, and the archive is fetched`);
    }
  }
  const part = join(folder, `.sqa-fetch-${name}.part`);
  await download(archive.url, part, { ...options, maxBytes: archive.maxBytes });
  try {
    await unpack(part, name, missing, archive, keep);
  } catch (cause) {
    // What is whole need not come again, where only the disk was full.
    if (!(cause instanceof FileFormatError)) throw cause;
    rmSync(part, { force: true });
    throw new FileFormatError(`${cause.message}; it came from ${archive.url}`, { cause });
  }
  rmSync(part, { force: true });
  return true;
}
