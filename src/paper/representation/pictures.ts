import { sizeOf } from "../../base/index.js";
import { noGrad, operators as ops, scope, type Tensor, tensor } from "../../engine/index.js";
import { drawImages, grayLevels } from "../../report/index.js";
import { forEachForm, type Representation, shownAs } from "./representation.js";

/** Place in the plane. */
export type Place = [x: number, y: number];

/** Images of some classes, clean and attacked. */
export interface ChosenImages extends Disposable {
  readonly labels: number[];
  /** Activations (2 N, D), the clean images first. */
  readonly points: Tensor;
  /** Pixels (2 N, C, H, W), in the same order. */
  readonly images: Tensor;
}

/** Images of the classes out of a representation, which stays its owner's. */
export function chosenOf(
  { labels, images, activations }: Representation,
  classes: readonly number[],
): ChosenImages {
  const known = new Set(classes);
  const all = [...labels.toNumbers()];
  const positions = all.flatMap((label, position) => (known.has(label) ? [position] : []));
  const chosen = noGrad(() =>
    scope(() => {
      const index = tensor(positions, [positions.length], "int64");
      const both = (of: Representation["images"]) =>
        ops.cat(
          shownAs.map((form) => of[form].indexSelect(0, index)),
          0,
        );
      return { points: both(activations), images: both(images) };
    }),
  );
  const dispose = () => {
    for (const own of Object.values(chosen)) own.dispose();
  };
  return { labels: positions.map((position) => all[position]!), ...chosen, [Symbol.dispose]: dispose };
}

/** Places of points (N, 2), in hundredths. */
export function placesFrom(points: Tensor): Place[] {
  const flat = points.toNumbers();
  const hundredths = (value: number) => Math.round(100 * value) / 100;
  return Array.from({ length: points.shape[0]! }, (_, i) => [
    hundredths(flat[2 * i]!),
    hundredths(flat[2 * i + 1]!),
  ]);
}

/** Pixels of a drawing's side, for images of 28 to 32 pixels. */
const side = 680;

/**
 * Drawings of the images at their places, by their form, PNG as base64; a place is the same in each.
 *
 * @param colors color of each label
 */
export function picturesOf({ images }: ChosenImages, places: readonly Place[], colors: readonly string[]) {
  const [, ...shape] = images.shape as [number, number, number, number];
  const size = sizeOf(shape);
  const levels = grayLevels(Float32Array.from(images.toNumbers()));
  const scales = [0, 1].map((axis) => {
    const values = places.map((place) => place[axis]!);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return (value: number) => (high > low ? (value - low) / (high - low) : 0.5);
  });
  const count = places.length / shownAs.length;
  return forEachForm((form) => {
    const first = shownAs.indexOf(form) * count;
    const drawn = colors.map((color, i) => {
      const at = first + i;
      const [x, y] = places[at]!;
      // Upwards in a chart is downwards in a picture.
      const place = { x: scales[0]!(x), y: 1 - scales[1]!(y) };
      return { levels: levels.subarray(at * size, (at + 1) * size), ...place, color };
    });
    return Buffer.from(drawImages(drawn, shape, side)).toString("base64");
  });
}
