import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, removeAbandoned, writeFileAtomic } from "../../base/index.js";
import type { Model } from "../../models/index.js";
import { grayLevels, imagePng, isDrawable, shownChange } from "../../report/index.js";
import type { EpochEvent } from "../events.js";
import type { AttackedImage } from "../validation.js";

/** Picture of one image: clean, its change, and under attack, beside each other. */
export interface RunPicture {
  readonly position: number;
  readonly png: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** Names of pictures; all else in the folder is not touched. */
const ownPicture = /^epoch-\d+-image-\d+\.png$/;

/**
 * Pictures of validation images under the last validation attack, in a run's folder `images`, with
 * images.json that names them. Those of an epoch replace the ones before: the JSON file is replaced at once,
 * and names only what is written. They are there to be looked at; nothing of a run depends on them.
 */
export class RunPictures {
  #latest: readonly RunPicture[] = [];

  constructor(
    readonly folder: string,
    readonly model: Model,
  ) {}

  /** Pictures of the latest epoch of this sitting. */
  get latest(): readonly RunPicture[] {
    return this.#latest;
  }

  /** Keeps the images of an epoch; none of a model whose images are neither gray nor colored. */
  keep({ epoch, step, validation }: EpochEvent, shown: readonly AttackedImage[]): void {
    const { inputShape, classNames } = this.model;
    const [channels, height, width] = inputShape;
    if (shown.length === 0 || !isDrawable(inputShape)) return;
    makeFolder(this.folder);
    // The run's lock keeps other writers off.
    const isOwn = (name: string) => ownPicture.test(name) || name === "images.json";
    removeAbandoned(this.folder, isOwn);
    const nameOf = (label: number) => classNames[label] ?? String(label);
    const images = shown.map(({ position, label, predicted, clean, adversarial }) => {
      const file = `epoch-${epoch}-image-${position}.png`;
      const { pixels, largestChange } = strip(clean, adversarial, width);
      const png = imagePng(grayLevels(pixels), [channels, height, 3 * width]);
      writeFileAtomic(join(this.folder, file), png);
      const picture = { position, png, height, width: 3 * width };
      const told = { file, position, label: nameOf(label), predicted: nameOf(predicted), largestChange };
      return { picture, told };
    });
    const told = { epoch, step, attack: validation.at(-1)!.attack, images: images.map((one) => one.told) };
    writeFileAtomic(join(this.folder, "images.json"), `${JSON.stringify(told, null, 2)}\n`);
    this.#latest = images.map(({ picture }) => picture);
    const kept = new Set(told.images.map(({ file }) => file));
    for (const name of readdirSync(this.folder)) {
      if (ownPicture.test(name) && !kept.has(name)) rmSync(join(this.folder, name), { force: true });
    }
  }
}

/** An image (C, H, W) clean, its change, and under attack beside each other, row by row. */
function strip(clean: Float32Array, adversarial: Float32Array, width: number) {
  const { pixels: change, largest: largestChange } = shownChange(clean, adversarial);
  const pixels = new Float32Array(3 * clean.length);
  for (const [place, part] of [clean, change, adversarial].entries()) {
    for (let row = 0; row < part.length / width; row++)
      pixels.set(part.subarray(row * width, (row + 1) * width), (3 * row + place) * width);
  }
  return { pixels, largestChange };
}
