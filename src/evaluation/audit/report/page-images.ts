import { existsSync } from "node:fs";
import { FileFormatError, sizeOf } from "../../../base/index.js";
import { readSafetensors } from "../../../files/index.js";
import { keptImages, type WorstImage } from "../worst-images.js";
import type { AuditJson } from "./schema/audit.js";

/** Pixels of an image in [0, 1], row-major (C, H, W), clean and in its worst form. */
export type ImagePair = Pick<WorstImage, "clean" | "adversarial">;

/** Shape (C, H, W) of an audit's images. */
export function shapeOf({ evidence }: AuditJson): readonly [number, number, number] {
  return evidence.model.inputShape as [number, number, number];
}

/**
 * Images that a report has kept in a file; none where it is gone.
 *
 * @throws FileFormatError that names the file where it holds other images than the audit's
 */
export function readImages(file: string, audit: AuditJson): ImagePair[] {
  if (!existsSync(file)) return [];
  const { tensors } = readSafetensors(file);
  const shape = shapeOf(audit);
  const count = Math.min(audit.perImage.length, keptImages(shape));
  const wanted = [count, ...shape].join();
  const [clean, worst] = ["clean", "images"].map((name) => {
    const found = tensors.get(name);
    if (found?.dtype === "float32" && found.shape.join() === wanted) return found.data as Float32Array;
    throw new FileFormatError(`${file}: tensor "${name}" is not of the audit's images, float32 [${wanted}]`);
  });
  const size = sizeOf(shape);
  return Array.from({ length: count }, (_, i) => {
    const rows = [i * size, (i + 1) * size] as const;
    return { clean: clean!.subarray(...rows), adversarial: worst!.subarray(...rows) };
  });
}
