import { createHash } from "node:crypto";
import { countText } from "../../../base/index.js";
import type { Split, TensorSplit } from "../../../datasets/index.js";
import { scope } from "../../../engine/index.js";
import type { AuditSubject } from "../identity.js";
import type { AuditJson } from "../report/schema/audit.js";

/** Image of a manifest. */
interface Listed {
  readonly position: number;
  readonly sha256: string;
  readonly label: number;
}

/** SHA-256 of an image: its pixels as float32 in [0, 1], row by row, then its label as text. */
export function imageSha256({
  clean,
  label,
}: {
  readonly clean: Float32Array;
  readonly label: number;
}): string {
  const bytes = new Uint8Array(clean.buffer, clean.byteOffset, clean.byteLength);
  return createHash("sha256").update(bytes).update(String(label)).digest("hex");
}

/** SHA-256 of every image of a split, in order. */
export function imageHashes(data: TensorSplit): string[] {
  return Array.from({ length: data.count }, (_, i) =>
    scope(() => {
      const { images, labels } = data.range(i, 1);
      return imageSha256({ clean: images.toArray() as Float32Array, label: labels.item() });
    }),
  );
}

/** SHA-256 of a manifest: a line `id sha256 label` for each image, in order. */
export function manifestSha256(images: readonly Listed[]): string {
  const hash = createHash("sha256");
  for (const { position, sha256, label } of images) hash.update(`${position} ${sha256} ${label}\n`);
  return hash.digest("hex");
}

/** The way from stored images to pixels, with everything that decides them. */
function decodingOf({ stored }: Split): string {
  return stored === undefined
    ? "none known: pixels as the data set gives them, in [0, 1]"
    : `before the attacks, by ${stored.form}`;
}

/** Facts about the audited images. */
export function dataFacts(
  { split, settings }: Pick<AuditSubject, "split" | "settings">,
  images: readonly Listed[],
): AuditJson["evidence"]["data"] {
  const { sampling, decoding, source } = settings.provenance;
  const taken = sampling ?? `the first ${countText(images.length, "image")} of ${split.name}, in their order`;
  const distinct = new Set(images.map(({ sha256 }) => sha256)).size;
  return {
    images: images.length,
    manifestSha256: manifestSha256(images),
    ids: "positions in the split, from 0",
    sampling: distinct < images.length ? `${taken}; only ${distinct} of them differ` : taken,
    decoding: decoding ?? decodingOf(split),
    source: source ?? null,
  };
}
