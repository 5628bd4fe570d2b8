import * as z from "zod";
import { operators as ops, type Tensor, tensor } from "../engine/index.js";
import { margin } from "../nn/losses.js";
import { ratio } from "../options/ratio.js";
import { defineAttack } from "./contract/attack.js";
import { queryDraws } from "./contract/query-options.js";
import { attackStanding } from "./search/standing.js";

const options = z.strictObject({
  maxAngle: ratio({ min: 0, max: 180 }).default(30).describe("largest rotation either way, degrees"),
  angles: z.int().min(1).default(31).describe("angles tried, evenly from one end to the other"),
  maxShift: ratio({ min: 0 }).default(3).describe("largest shift either way, pixels"),
  shifts: z.int().min(1).default(5).describe("shifts tried along each axis"),
  draws: queryDraws,
});

type Options = z.output<typeof options>;

/** A rotation in degrees, counterclockwise, then a shift in pixels, right and down. */
interface Motion {
  readonly angle: number;
  readonly right: number;
  readonly down: number;
}

/**
 * The worst case of a grid of rotations and shifts, of which no pixel norm says anything (Engstrom, Tran, Tsipras, Schmidt
 * and Madry 2019, section 3). Pixels between pixels are bilinear; black comes in from outside.
 */
export const rotationTranslation = defineAttack("rotation-translation", {
  summary: "the worst of a grid of rotations and shifts",
  options,
  traits: () => ({ norm: "none", radius: undefined, usesGradients: false, randomized: false }),
  run(given, target, images, labels) {
    const motions = motionGrid(given);
    const margins = target.query(images, labels, margin, given.draws);
    const state = { images, labels, adversarial: images.clone(), margins };
    attackStanding(target, state, { steps: motions.length, accept: "better" }, (seen, rows, i) => {
      const candidates = moved(rows.images, motions[i]!);
      return { candidates, margins: seen.query(candidates, rows.labels, margin, given.draws) };
    });
    return state.adversarial;
  },
});

function motionGrid({ maxAngle, angles, maxShift, shifts }: Options): Motion[] {
  const line = evenly(maxShift, shifts);
  return evenly(maxAngle, angles).flatMap((angle) =>
    line.flatMap((right) => line.map((down) => ({ angle, right, down }))),
  );
}

/** `count` numbers from -largest to largest; 0 alone where there is one. */
function evenly(largest: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (count === 1 ? 0 : largest * ((2 * i) / (count - 1) - 1)));
}

/** libtorch's numbers for what lies between pixels, and outside. */
const [bilinear, zeros] = [0, 0];

/** Images (M, C, H, W) moved alike, in [0, 1]. */
export function moved(images: Tensor, { angle, right, down }: Motion): Tensor {
  const [count, channels, height, width] = images.shape as [number, number, number, number];
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  // Where each pixel comes from, in coordinates of -1 .. 1 over each side.
  const from = [
    [cos, (-sin * height) / width, (-2 * (cos * right - sin * down)) / width],
    [(sin * width) / height, cos, (-2 * (sin * right + cos * down)) / height],
  ];
  const theta = ops.zeros([1, 2, 3], "float32", images.device);
  theta.copy_(tensor(from.flat(), [1, 2, 3]));
  const places = ops.affineGrid(theta, [1, channels, height, width], false).expand([count, height, width, 2]);
  // Four weights may sum up to a little more than 1.
  return ops.gridSampler(images, places, bilinear, zeros, false).clamp(0, 1);
}
