import { rmSync } from "node:fs";
import { join } from "node:path";
import {
  FileFormatError,
  fileSha256,
  MissingFileError,
  makeFolder,
  refuseForeign,
  removeAbandoned,
  sizeOf,
  writeFileAtomic,
} from "../../../base/index.js";
import { writeSafetensors } from "../../../files/index.js";
import { grayLevels, imagePng, isDrawable } from "../../../report/index.js";
import { keptImages, type WorstImage } from "../worst-images.js";
import { reportPage } from "./page.js";
import { shapeOf } from "./page-images.js";
import { readAudit } from "./read.js";
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

/** Manner in which a report is written. */
export interface WriteReportOptions {
  /** True replaces files of the report's names that no earlier report wrote; false by default. */
  readonly replace?: boolean;
}

/** Shape (C, H, W) and number of the images of a report. */
export interface ReportImages {
  readonly shape: readonly [number, number, number];
  readonly count: number;
}

const sumsName = "SHA256SUMS";
const worstName = join("images", "worst.safetensors");
const pictureOf = (position: number) => join("images", `${String(position).padStart(5, "0")}.png`);

/** Names of the pictures of a report: of the kept images that have one channel or three. */
function pictureNames({ shape, count }: ReportImages): string[] {
  if (!isDrawable(shape)) return [];
  return Array.from({ length: Math.min(count, keptImages(shape)) }, (_, position) => pictureOf(position));
}

/** Names of all files of a report. */
function namesOf(images: ReportImages): string[] {
  return ["audit.json", "audit.html", sumsName, worstName, ...pictureNames(images)];
}

const imagesOf = (audit: AuditJson) => ({ shape: shapeOf(audit), count: audit.perImage.length });

/** Names of the files of a folder's report; none where its audit.json is not there, or is of no audit. */
function earlierNames(folder: string): ReadonlySet<string> {
  try {
    return new Set(namesOf(imagesOf(readAudit(folder).audit)));
  } catch (error) {
    if (error instanceof FileFormatError || error instanceof MissingFileError) return new Set();
    throw error;
  }
}

/**
 * Checks that the report of an audit on these images can be written into a folder.
 *
 * @throws ForeignFileError that names a file which would be replaced, and which no report of ours wrote
 */
export function checkReportFolder(folder: string, images: ReportImages): void {
  refuseForeign(folder, namesOf(images), earlierNames(folder));
}

/**
 * Writes audit.json, audit.html and the worst images into a folder, in place of an earlier report's, then
 * SHA256SUMS.
 */
export async function writeReport(
  folder: string,
  audit: AuditJson,
  worst: readonly WorstImage[],
  { replace = false }: WriteReportOptions = {},
): Promise<ReportFiles> {
  const files = {
    json: join(folder, "audit.json"),
    html: join(folder, "audit.html"),
    images: join(folder, "images"),
    sums: join(folder, sumsName),
  };
  if (!replace) checkReportFolder(folder, imagesOf(audit));
  const names = namesOf(imagesOf(audit));
  // An earlier report in this folder may have been of more images.
  const stale = [...earlierNames(folder)].filter((name) => !names.includes(name));
  makeFolder(files.images);
  for (const written of [folder, files.images]) removeAbandoned(written);
  // Sums of an earlier report are not those of half of this one.
  rmSync(files.sums, { force: true });
  for (const name of stale) rmSync(join(folder, name), { force: true });
  // First, for it says of which files a report is, also where the rest is never written.
  writeFileAtomic(files.json, `${JSON.stringify(audit, null, 2)}\n`);
  writeFileAtomic(files.html, await reportPage(audit, worst));
  writeImages(folder, shapeOf(audit), worst);
  const named = ["audit.json", "audit.html", worstName];
  const sums = named.map((name) => `${fileSha256(join(folder, name))}  ${name}\n`);
  writeFileAtomic(files.sums, sums.join(""));
  return files;
}

function writeImages(
  folder: string,
  shape: readonly [number, number, number],
  worst: readonly WorstImage[],
): void {
  const pixels = sizeOf(shape);
  const joined = (form: "clean" | "adversarial") => {
    const data = new Float32Array(worst.length * pixels);
    worst.forEach((image, i) => {
      data.set(image[form], i * pixels);
    });
    return { dtype: "float32" as const, shape: [worst.length, ...shape], data };
  };
  const labels = BigInt64Array.from(worst, ({ label }) => BigInt(label));
  writeSafetensors(join(folder, worstName), [
    ["images", joined("adversarial")],
    ["clean", joined("clean")],
    ["labels", { dtype: "int64", shape: [worst.length], data: labels }],
  ]);
  const drawn = new Set(pictureNames({ shape, count: worst.length }));
  for (const image of worst) {
    const name = pictureOf(image.position);
    if (drawn.has(name)) writeFileAtomic(join(folder, name), imagePng(grayLevels(image.adversarial), shape));
  }
}
