import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";

/** Bytes that are read at a time: a file may be larger than memory. */
const chunkBytes = 2 ** 20;

/** SHA-256 of a file, in hexadecimal digits. */
export function fileSha256(path: string): string {
  const hash = createHash("sha256");
  const chunk = Buffer.alloc(chunkBytes);
  const descriptor = openSync(path, "r");
  try {
    for (let read = 1; read > 0; ) {
      read = readSync(descriptor, chunk, 0, chunkBytes, null);
      hash.update(chunk.subarray(0, read));
    }
    return hash.digest("hex");
  } finally {
    closeSync(descriptor);
  }
}
