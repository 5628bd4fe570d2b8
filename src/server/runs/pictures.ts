import { readdirSync } from "node:fs";
import { inside } from "../files/inside.js";

const picture = /^[\w-]+\.png$/;

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
