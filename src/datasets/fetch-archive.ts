import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { createGunzip } from "node:zlib";
import { FileFormatError, makeFolder, writeFileAtomic } from "../base/index.js";
import { readTar } from "../files/index.js";
import { type DownloadProgress, download } from "./download.js";

/** A data set's official archive: where it is published, and the SHA-1 of the files in it that are wanted. */
export interface DatasetArchive {
  readonly url: string;
  readonly checksums: Readonly<Record<string, string>>;
  /** The largest size of the archive and of a file in it. */
  readonly maxBytes: number;
}

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  onProgress?(progress: DownloadProgress): void;
}

function sha1(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("hex");
}

/** Writes the wanted files of an archive that the checksums know, and returns the names of those that were in it. */
async function unpack(file: string, folder: string, { checksums, maxBytes }: DatasetArchive): Promise<Set<string>> {
  const found = new Set<string>();
  const source = createReadStream(file);
  const chunks = createGunzip();
  source.on("error", (error) => chunks.destroy(error)).pipe(chunks);
  try {
    for await (const { name, bytes } of readTar(chunks, file, maxBytes)) {
      const short = basename(name);
      if (!Object.hasOwn(checksums, short)) continue;
      const [sum, expected] = [sha1(bytes), checksums[short]];
      if (sum !== expected) {
        throw new FileFormatError(`${file}: ${name} is not the official file: SHA-1 ${sum}, expected ${expected}`);
      }
      writeFileAtomic(join(folder, short), bytes);
      found.add(short);
    }
  } finally {
    source.destroy();
    chunks.destroy();
  }
  return found;
}

/**
 * Fills a folder with an archive's files, each checked by SHA-1; a download that was broken off goes on. False when they were
 * all there. Throws an Error that names the address or the file at fault; then a damaged archive is gone, and the next call
 * fetches it anew.
 */
export async function fetchArchive(
  archive: DatasetArchive,
  folder: string,
  { signal, onProgress }: FetchOptions = {},
): Promise<boolean> {
  const names = Object.keys(archive.checksums);
  const isThere = (name: string) => {
    const file = join(folder, name);
    return existsSync(file) && sha1(readFileSync(file)) === archive.checksums[name];
  };
  if (names.every(isThere)) return false;
  makeFolder(folder);
  const file = join(folder, basename(new URL(archive.url).pathname) || "archive.tar.gz");
  await download(archive.url, file, {
    maxBytes: archive.maxBytes,
    signal,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  try {
    const found = await unpack(file, folder, archive);
    const missing = names.filter((name) => !found.has(name));
    if (missing.length > 0) throw new FileFormatError(`${file}: holds no ${missing.join(", ")}`);
  } catch (cause) {
    const problem = cause instanceof FileFormatError ? cause.message : `${file}: ${(cause as Error).message}`;
    throw new FileFormatError(`${problem}; it came from ${archive.url}`, { cause });
  } finally {
    rmSync(file, { force: true });
  }
  return true;
}
