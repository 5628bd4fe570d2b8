import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, removeAbandoned, writeFileAtomic } from "../../../base/index.js";
import { writeSafetensors } from "../../../files/index.js";
import { grayLevels, imagePng } from "../../../report/index.js";
import type { WorstImage } from "../worst-images.js";
import type { ReportData } from "./data.js";
import { reportJson } from "./json.js";
import { reportPage } from "./page.js";

/** Paths of a report. */
export interface ReportFiles {
  readonly json: string;
  readonly html: string;
  /** Folder of the worst images, as safetensors and as 8-bit PNG where they have one channel or three. */
  readonly images: string;
}

/** Writes audit.json, audit.html and the worst images into a folder, in place of an earlier report's. */
export async function writeReport(folder: string, data: ReportData): Promise<ReportFiles> {
  const files = {
    json: join(folder, "audit.json"),
    html: join(folder, "audit.html"),
    images: join(folder, "images"),
  };
  makeFolder(files.images);
  for (const written of [folder, files.images]) removeAbandoned(written);
  writeImages(files.images, data);
  writeFileAtomic(files.json, `${JSON.stringify(reportJson(data), null, 2)}\n`);
  writeFileAtomic(files.html, await reportPage(data));
  return files;
}

function writeImages(folder: string, { worst, plan }: ReportData): void {
  const shape = plan.players.model.inputShape;
  const pixels = shape[0] * shape[1] * shape[2];
  const data = new Float32Array(worst.length * pixels);
  worst.forEach(({ adversarial }, i) => {
    data.set(adversarial, i * pixels);
  });
  const labels = BigInt64Array.from(worst, ({ label }) => BigInt(label));
  writeSafetensors(join(folder, "worst.safetensors"), [
    ["images", { dtype: "float32", shape: [worst.length, ...shape], data }],
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
