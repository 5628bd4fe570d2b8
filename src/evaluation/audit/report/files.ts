import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileSha256, makeFolder, removeAbandoned, writeFileAtomic } from "../../../base/index.js";
import { writeSafetensors } from "../../../files/index.js";
import { grayLevels, imagePng } from "../../../report/index.js";
import type { WorstImage } from "../worst-images.js";
import { reportPage } from "./page.js";
import { shapeOf } from "./page-images.js";
import type { AuditJson } from "./schema/audit.js";

/** Paths of a report. */
export interface ReportFiles {
  readonly json: string;
  readonly html: string;
  /** Folder of the worst images, as safetensors and as 8-bit PNG where they have one channel or three. */
  readonly images: string;
  /** SHA-256 of the others, which `sha256sum -c` checks. */
  readonly sums: string;
}

/**
 * Writes audit.json, audit.html and the worst images into a folder, in place of an earlier report's, then
 * SHA256SUMS.
 */
export async function writeReport(
  folder: string,
  audit: AuditJson,
  worst: readonly WorstImage[],
): Promise<ReportFiles> {
  const files = {
    json: join(folder, "audit.json"),
    html: join(folder, "audit.html"),
    images: join(folder, "images"),
    sums: join(folder, "SHA256SUMS"),
  };
  makeFolder(files.images);
  for (const written of [folder, files.images]) removeAbandoned(written);
  // Sums of an earlier report are not those of half of this one.
  rmSync(files.sums, { force: true });
  writeImages(files.images, shapeOf(audit), worst);
  writeFileAtomic(files.json, `${JSON.stringify(audit, null, 2)}\n`);
  writeFileAtomic(files.html, await reportPage(audit, worst));
  const named = ["audit.json", "audit.html", join("images", "worst.safetensors")];
  const sums = named.map((name) => `${fileSha256(join(folder, name))}  ${name}\n`);
  writeFileAtomic(files.sums, sums.join(""));
  return files;
}

function writeImages(
  folder: string,
  shape: readonly [number, number, number],
  worst: readonly WorstImage[],
): void {
  const pixels = shape[0] * shape[1] * shape[2];
  const joined = (form: "clean" | "adversarial") => {
    const data = new Float32Array(worst.length * pixels);
    worst.forEach((image, i) => {
      data.set(image[form], i * pixels);
    });
    return { dtype: "float32" as const, shape: [worst.length, ...shape], data };
  };
  const labels = BigInt64Array.from(worst, ({ label }) => BigInt(label));
  writeSafetensors(join(folder, "worst.safetensors"), [
    ["images", joined("adversarial")],
    ["clean", joined("clean")],
    ["labels", { dtype: "int64", shape: [worst.length], data: labels }],
  ]);
  const nameOf = ({ position }: WorstImage) => `${String(position).padStart(5, "0")}.png`;
  const drawable = shape[0] === 1 || shape[0] === 3 ? worst : [];
  for (const image of drawable) {
    writeFileAtomic(join(folder, nameOf(image)), imagePng(grayLevels(image.adversarial), shape));
  }
  // An earlier report in this folder may have been of more images.
  const names = new Set(drawable.map(nameOf));
  for (const name of readdirSync(folder)) {
    if (/^\d{5,}\.png$/.test(name) && !names.has(name)) rmSync(join(folder, name));
  }
}
