import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { l2Norms, norms } from "../../src/attacks/geometry/norms.js";
import { type Norm, Victim } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { countedUniform, imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import { load, maxDifference, tinyCnn } from "./tiny-networks.js";

const noise = { seed: deriveSeed(2, "ball"), draw: 0, imageIds: imageIdRange(0, 300) };
const images = countedUniform(noise, 0, [2, 8, 8]);
const middle = images.mul(0).add(0.5);

describe("projection", () => {
  test("to the l-infinity ball and [0, 1] is pixel by pixel", () => {
    const x = tensor([0.1, 0.5, 0.95, 0.5], [1, 1, 2, 2]);
    const moved = tensor([-0.5, 0.55, 1.5, 0.9], [1, 1, 2, 2]);
    norms.linf.ball(x, 0.2).project_(moved);
    [0, 0.55, 1, 0.7].forEach((expected, i) => {
      expect(moved.toNumbers()[i]).toBeCloseTo(expected, 6);
    });
  });

  test("to the l2 ball scales what is outside, keeps what is inside, and keeps to [0, 1]", () => {
    const x = tensor([0.5, 0.5, 0.5, 0.5, 0.9, 0.5], [3, 1, 1, 2]);
    const moved = tensor([0.8, 0.9, 0.52, 0.51, 1.8, 0.5], [3, 1, 1, 2]);
    norms.l2.ball(x, 0.25).project_(moved);
    [0.65, 0.7, 0.52, 0.51, 1, 0.5].forEach((expected, i) => {
      expect(moved.toNumbers()[i]).toBeCloseTo(expected, 6);
    });
  });

  test("to the l1 ball and [0, 1] at once equals the published values", () => {
    const { x, delta, out_added, eps } = JSON.parse(
      readFileSync(new URL("../golden/l1_projection.json", import.meta.url), "utf8"),
    ).l1_projection;
    const from = load(x);
    const moved = from.add(load(delta));
    norms.l1.ball(from, eps).project_(moved);
    expect(maxDifference(moved, from.add(load(delta)).add(load(out_added)))).toBeLessThan(1e-6);
  });

  test("to the l1 ball is the nearest point: no closer one among many inside", () => {
    const far = images.add(countedUniform(noise, 1, [2, 8, 8]).sub(0.5).mul(3));
    const moved = far.clone();
    norms.l1.ball(images, 4).project_(moved);
    const distance = (points: Tensor) => l2Norms(points.sub(far));
    for (const stream of [2, 3, 4]) {
      // A step from the nearest point towards any other point inside never shortens the distance.
      const inside = images.add(countedUniform(noise, stream, [2, 8, 8]).sub(0.5));
      norms.l1.ball(images, 4).project_(inside);
      const between = moved.mul(0.99).add(inside, 0.01);
      expect(distance(between).sub(distance(moved)).amin().item()).toBeGreaterThan(-1e-6);
    }
    const lengths = moved.sub(images).abs().sumDim([1, 2, 3]);
    expect(lengths.amax().item()).toBeLessThan(4 + 1e-5);
    expect(lengths.amin().item()).toBeGreaterThan(4 - 1e-5);
  });

  test("to the l1 ball only cuts by the pixel range what is inside already", () => {
    const x = tensor([0.9, 0.5, 0.1, 0.5], [1, 1, 2, 2]);
    const moved = tensor([1.5, 0.6, 0.1, 0.5], [1, 1, 2, 2]);
    norms.l1.ball(x, 0.3).project_(moved);
    [1, 0.6, 0.1, 0.5].forEach((expected, i) => {
      expect(moved.toNumbers()[i]).toBeCloseTo(expected, 6);
    });
  });

  test("to a ball of radius 0 gives the images back, also where nothing moved", () => {
    for (const ball of Object.values(norms).map((norm) => norm.ball(images, 0))) {
      for (const start of [images.clone(), images.add(0.1)]) {
        ball.project_(start);
        expect(start.sub(images).abs().amax().item()).toBeLessThan(1e-6);
      }
    }
  });
});

describe("random starts", () => {
  const startFrom = (from: Tensor, norm: Norm, radius: number, seed = noise.seed) => {
    const victim = new Victim(tinyCnn, { seed, imageIds: noise.imageIds }, "start");
    const points = from.add(norms[norm].inside(victim, [2, 8, 8], radius, 0));
    norms[norm].ball(from, radius).project_(points);
    return points;
  };
  const start = (norm: Norm, radius: number) => startFrom(middle, norm, radius).sub(middle);

  test("fill the l-infinity ball evenly", () => {
    const moved = start("linf", 0.2);
    // 38,400 uniforms: the mean is within 5 standard errors, the mean square likewise.
    expect(Math.abs(moved.mean().item())).toBeLessThan((5 * 0.2) / Math.sqrt(3 * moved.size));
    expect(moved.square().mean().item()).toBeCloseTo(0.04 / 3, 3);
    expect(moved.abs().amax().item()).toBeGreaterThan(0.199);
  });

  test("in l2 have any direction and an even radius", () => {
    const moved = start("l2", 0.4);
    const lengths = l2Norms(moved);
    expect(lengths.amax().item()).toBeLessThanOrEqual(0.4 + 1e-6);
    expect(Math.abs(lengths.mean().item() - 0.2)).toBeLessThan((5 * 0.4) / Math.sqrt(12 * 300));
    const directions = moved.div(lengths);
    // The mean of 300 unit vectors in 128 dimensions has length near 1 / sqrt(300).
    expect(l2Norms(directions.meanDim([0], true)).item()).toBeLessThan(2 / Math.sqrt(300));
  });

  test("in l1 have any direction and an even radius", () => {
    const moved = start("l1", 4);
    const lengths = moved.abs().sumDim([1, 2, 3], true);
    expect(lengths.amax().item()).toBeLessThanOrEqual(4 + 1e-5);
    expect(Math.abs(lengths.mean().item() - 2)).toBeLessThan((5 * 4) / Math.sqrt(12 * 300));
    // Directions even in l1 have exponential pixels, whose mean square is twice the square of their mean
    // size.
    const pixels = moved.div(lengths).mul(128);
    expect(Math.abs(pixels.mean().item())).toBeLessThan((5 * Math.SQRT2) / Math.sqrt(pixels.size));
    expect(Math.abs(pixels.square().mean().item() - 2)).toBeLessThan(0.15);
  });

  test.each(["linf", "l2", "l1"] as const)("in %s are none where the noise is, as of one pixel", (norm) => {
    const zeros = (shape: readonly number[]) =>
      images
        .zerosLike()
        .slice(1, 0, 1)
        .mul(0)
        .sumDim([1, 2, 3], true)
        .expand([images.shape[0]!, ...shape]);
    const silent = { uniform: zeros, normal: zeros };
    for (const start of ["inside", "surface"] as const) {
      const found = norms[norm][start](silent, [1, 1, 1], 0.3, 0);
      expect(found.isfinite().all().item()).toBe(1);
    }
  });

  test("differ between seeds, and are cut to [0, 1]", () => {
    const once = startFrom(images, "linf", 0.3);
    const other = startFrom(images, "linf", 0.3, deriveSeed(3, "x"));
    expect(once.sub(other).abs().mean().item()).toBeGreaterThan(0.05);
    expect(once.eq(0).any().item() + once.eq(1).any().item()).toBe(2);
  });
});
