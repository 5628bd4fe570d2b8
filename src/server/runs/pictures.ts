import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { ShownImages } from "../api.js";
import { inside } from "../files/inside.js";
import { readJson } from "../files/read-json.js";

const picture = /^[\w-]+\.png$/;

const shownSchema = z.object({
  epoch: z.int().min(0),
  attack: z.string().max(10_000),
  images: z
    .array(
      z.object({
        file: z.string().max(255).regex(picture),
        position: z.int().min(0),
        label: z.string().max(1000),
        predicted: z.string().max(1000),
        largestChange: z.number().min(0),
      }),
    )
    .max(64),
});

/** Images under attack that a run keeps of its latest epoch; undefined where it has none. */
export function shownImages(folder: string): ShownImages | undefined {
  const images = inside(folder, "images");
  return images === undefined ? undefined : readJson(join(images, "images.json"), shownSchema, 2 ** 20);
}

/** Names of the PNG images that a folder keeps in its `images`, sorted. */
export function picturesIn(folder: string): string[] {
  const images = inside(folder, "images");
  if (images === undefined) return [];
  try {
    return readdirSync(images)
      .filter((name) => picture.test(name))
      .sort()
      .slice(0, 400);
  } catch {
    return [];
  }
}

/** Path of a picture below a folder; undefined where there is none inside of it. */
export function picturePath(folder: string, names: readonly string[], file: string): string | undefined {
  return picture.test(file) ? inside(folder, ...names, "images", file) : undefined;
}
