import { sizeOf } from "../../../base/index.js";
import {
  grayLevels,
  type Html,
  html,
  htmlImage,
  imagePng,
  isDrawable,
  percent,
  shownChange,
} from "../../../report/index.js";
import { type ImagePair, shapeOf } from "./page-images.js";
import type { AuditJson } from "./schema/audit.js";

/** Images shown on the page, as long as it stays one that a browser opens: large images have fewer. */
const most = { images: 40, values: 8e6 };

/** Pixels that a side of an image has at least before it is enlarged. */
const side = 64;

/** Number of images that a page shows, of a shape (C, H, W). */
export function shownImages(shape: readonly number[]): number {
  const values = sizeOf(shape);
  return Math.max(1, Math.min(most.images, Math.floor(most.values / values)));
}

/** Adversarial images with their labels and predictions; a click enlarges each. */
export function imageSection(audit: AuditJson, images: readonly ImagePair[]): Html[] {
  const { survivesRounding } = audit;
  const rounding =
    survivesRounding === null
      ? ""
      : `Rounded to 8 bits, ${percent(survivesRounding)} % of the images that fool the model still do.`;
  const shown = images.slice(0, shownImages(shapeOf(audit)));
  const how =
    shown.length === 0
      ? "The images are not beside this report."
      : "Each image clean, in its worst form, and its change (gray: none; black and white: the largest " +
        "of the image). A click enlarges it.";
  return [
    html`<h2>Adversarial images</h2>
<p>${how} ${rounding}</p>`,
    html`<div class="images">${shown.map((pair, i) => imageFigure(pair, i, audit))}</div>`,
  ];
}

function imageFigure({ clean, adversarial }: ImagePair, index: number, audit: AuditJson): Html {
  const { position, label, predicted, correct, successRate, brokenBy } = audit.perImage[index]!;
  const shape = shapeOf(audit);
  const { pixels: difference } = shownChange(clean, adversarial);
  const nameOf = (one: number) => audit.evidence.perClass[one]?.name ?? String(one);
  const change = `${nameOf(label)} -> ${nameOf(predicted)}`;
  const by = audit.trials.find(({ trial }) => trial === brokenBy)?.label ?? "no attack";
  const draws = audit.draws === 1 ? "" : `, wrong in ${percent(successRate, 0)} % of draws`;
  const clearly = correct.clean < 0.5 ? ", wrong when clean" : "";
  const caption = `${position}: label ${nameOf(label)}${clearly}${draws}; ${by}`;
  const zoom = Math.max(1, Math.round(side / shape[1]));
  const images = (isDrawable(shape) ? [clean, adversarial, difference] : []).map((pixels) =>
    htmlImage(imagePng(grayLevels(pixels), shape, zoom), `${change} (${caption})`),
  );
  const box = html`<input type="checkbox" aria-label="enlarge image ${position}">`;
  return html`<figure><label class="zoom">${box}${images}</label>
<figcaption><strong>${change}</strong><br>${caption}</figcaption></figure>`;
}
