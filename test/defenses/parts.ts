import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PartKind, partNotes } from "../../src/defenses/index.js";
import { type Tensor, tensor } from "../../src/engine/index.js";
import { writeSealed } from "../../src/files/index.js";
import { loadState } from "../../src/nn/index.js";

/** Folder for files of trained parts, and the function that removes it. */
export function partsFolder(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "sqa-parts-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Writes a part of given weights, or of its first ones, as training leaves it. */
export function writePart<Sizes>(
  file: string,
  kind: PartKind<Sizes>,
  sizes: Sizes,
  weights?: Readonly<Record<string, readonly number[]>>,
): string {
  const module = kind.build(sizes);
  if (weights !== undefined) {
    const entries = [...module.state()].map(([name, { shape }]): [string, Tensor] => [
      name,
      tensor([...weights[name]!], shape),
    ]);
    loadState(module, new Map(entries));
  }
  const tensors = [...module.state()].map(
    ([name, value]) =>
      [name, { dtype: "float32", shape: value.shape, data: value.toArray() as Float32Array }] as const,
  );
  writeSealed(file, tensors, partNotes(kind, sizes));
  return file;
}
