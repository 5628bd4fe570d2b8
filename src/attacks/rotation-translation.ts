import * as z from "zod";
import { operators as ops, type Tensor, tensor } from "../engine/index.js";
import { ratio } from "../options/index.js";
import { queryDraws, querySearch } from "./black-box/query-search.js";
import { defineAttack } from "./contract/attack.js";
import { clearMargin } from "./contract/passes.js";

/** Motions of a grid, each of which moves every image. */
const mostMotions = 1_000_000;

const options = z
  .strictObject({
    maxAngle: ratio({ min: 0, max: 180 }).default(30).describe("largest rotation either way, degrees"),
    angles: z
      .int()
      .min(1)
      .max(mostMotions)
      .default(31)
      .describe("angles tried, evenly from one end to the other"),
    maxShift: ratio({ min: 0, max: 1000 }).default(3).describe("largest shift either way, pixels"),
    shifts: z.int().min(1).max(1000).default(5).describe("shifts tried along each axis"),
    draws: queryDraws,
  })
  .refine(({ angles, shifts }) => angles * shifts ** 2 <= mostMotions, {
    path: ["angles"],
    message: `angles times the square of shifts is at most ${mostMotions}`,
  });

type Options = z.output<typeof options>;

/** Rotation in degrees, counterclockwise, then a shift in pixels, right and down. */
interface Motion {
  readonly angle: number;
  readonly right: number;
  readonly down: number;
}

/**
 * Worst case of a grid of rotations and shifts, which no norm of pixels measures (Engstrom, Tran, Tsipras,
 * Schmidt and Madry 2019, section 3). Points between pixels are bilinear; black comes in from outside.
 */
export const rotationTranslation = defineAttack("rotation-translation", {
  summary: "the worst of a grid of rotations and shifts",
  options,
  traits: () => ({ norm: "none", radius: undefined, usesGradients: false, randomized: false }),
  run(options, victim, images, labels) {
    const motions = motionGrid(options);
    const margins = victim.query(images, labels, clearMargin, options.draws);
    const state = { images, labels, adversarial: images.clone(), margins };
    querySearch(victim, state, { steps: motions.length, accept: "better" }, (part, rows, i) => {
      const candidates = moved(rows.images, motions[i]!);
      return { candidates, margins: part.query(candidates, rows.labels, clearMargin, options.draws) };
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

/** Returns `count` numbers from -largest to largest; 0 alone where there is one. */
function evenly(largest: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (count === 1 ? 0 : largest * ((2 * i) / (count - 1) - 1)));
}

/** Numbers of libtorch for points between pixels, and outside. */
const [bilinear, zeros] = [0, 0];

/** Moves images (M, C, H, W) alike, in [0, 1]. */
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
