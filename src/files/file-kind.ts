/** Kinds of files that are given in the place of weights, told by their first bytes. */
export type FileKind = "zip" | "pickle" | "safetensors" | "HDF5" | "Git LFS pointer" | "web page";

const startsWith = (bytes: Uint8Array, text: string) =>
  Buffer.from(bytes.subarray(0, text.length)).equals(Buffer.from(text, "latin1"));

/** The kind of a file whose first 16 bytes (or all of fewer) are given; undefined for any other. */
export function fileKind(bytes: Uint8Array): FileKind | undefined {
  if (bytes[8] === 0x7b && bytes[6] === 0 && bytes[7] === 0) return "safetensors";
  if (startsWith(bytes, "PK\x03\x04")) return "zip";
  if (bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5) return "pickle";
  if (startsWith(bytes, "\x89HDF\r\n\x1a\n")) return "HDF5";
  if (startsWith(bytes, "version https://")) return "Git LFS pointer";
  if (/^\s*<(?:!doctype|html|\?xml)/i.test(Buffer.from(bytes).toString("latin1"))) return "web page";
  return undefined;
}

const remedies: Readonly<Record<FileKind, string>> = {
  zip: "it is a zip archive, as PyTorch's checkpoints are: sqa import FILE --out W.safetensors reads those",
  pickle: "older ones must be saved again by torch.save, and then imported: this is a pickle, a program",
  safetensors: "it is a safetensors file, which need not be imported",
  HDF5: "it is an HDF5 file, such as Keras writes",
  "Git LFS pointer": "it is what Git keeps in place of a large file: git lfs pull fetches the file itself",
  "web page": "it is a web page: the download was refused or redirected",
};

/**
 * Returns what a file is instead of what is expected, and what to do, as the end of an error's sentence;
 * undefined for an unknown kind.
 */
export function remedyOf(bytes: Uint8Array, expected: FileKind | undefined): string | undefined {
  const kind = fileKind(bytes.subarray(0, 16));
  return kind === undefined || kind === expected ? undefined : remedies[kind];
}
