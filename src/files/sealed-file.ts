import { createHash } from "node:crypto";
import { FileFormatError } from "../base/index.js";
import {
  readSafetensors,
  type SafetensorsFile,
  type SafetensorsTensor,
  writeSafetensors,
} from "./safetensors.js";

type Tensors = Iterable<readonly [name: string, tensor: SafetensorsTensor]>;

/** SHA-256 of tensors and notes, in the order of their names. */
function sealOf(tensors: Tensors, notes: Readonly<Record<string, string>>): string {
  const hash = createHash("sha256");
  const byName = <T>(entries: Iterable<readonly [string, T]>) =>
    [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  hash.update(JSON.stringify(byName(Object.entries(notes))));
  for (const [name, { dtype, shape, data }] of byName(tensors)) {
    hash.update(JSON.stringify([name, dtype, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

/** Writes tensors and notes as safetensors, with their SHA-256 among the notes. */
export function writeSealed(
  path: string,
  tensors: readonly (readonly [string, SafetensorsTensor])[],
  notes: Readonly<Record<string, string>>,
): void {
  writeSafetensors(path, tensors, { ...notes, sha256: sealOf(tensors, notes) });
}

/**
 * Reads safetensors. FileFormatError where they carry a SHA-256 that is not that of their content: a bit has
 * changed.
 */
export function readSealed(path: string): SafetensorsFile {
  const file = readSafetensors(path);
  const { sha256, ...notes } = file.metadata;
  if (sha256 === undefined || sealOf(file.tensors, notes) === sha256) return file;
  throw new FileFormatError(
    `${path}: its SHA-256 is not that of its content: the file was damaged or edited`,
  );
}

/** SHA-256 that a sealed file carries; undefined for a file without a seal. */
export function sealIn(path: string): string | undefined {
  return readSafetensors(path).metadata.sha256;
}
