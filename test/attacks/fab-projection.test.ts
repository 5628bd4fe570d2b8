import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { vectorLengths } from "../../src/attacks/geometry/norms.js";
import { projectionSteps } from "../../src/attacks/minimum-norm/fab-projection.js";
import { deriveSeed } from "../../src/base/index.js";
import { countedUniform, imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";

interface Stored {
  shape: number[];
  data: number[];
}
/** Six points, hyperplanes and the steps that the reference takes; the last two hyperplanes miss the box. */
const golden = JSON.parse(
  readFileSync(new URL("../golden/fab_projections.json", import.meta.url), "utf8"),
) as Record<"t" | "w" | "linf" | "l2" | "l1", Stored> & { b: number[] };
const load = ({ shape, data }: Stored) => tensor(Float32Array.from(data), shape);
const norms = ["linf", "l2", "l1"] as const;

const draw = (shape: number[], stream: number) =>
  countedUniform(
    { seed: deriveSeed(1, "projection"), draw: 0, imageIds: imageIdRange(0, shape[0]!) },
    stream,
    shape.slice(1),
  );
const dot = (a: Tensor, b: Tensor) => a.mul(b).sumDim([1]);

describe.each(norms)("projection in %s", (norm) => {
  test("equals the reference's", () => {
    const steps = projectionSteps(norm, load(golden.t), {
      normals: load(golden.w),
      offsets: tensor(golden.b),
    });
    expect(steps.sub(load(golden[norm])).abs().amax().item()).toBeLessThan(1e-6);
  });

  test("reaches the hyperplane inside the box, and no point of the hyperplane found at random is nearer", () => {
    const points = draw([50, 8], 0);
    const normals = draw([50, 8], 1).sub(0.5);
    const inside = draw([50, 8], 2);
    const offsets = dot(normals, inside);
    const steps = projectionSteps(norm, points, { normals, offsets });
    const reached = points.add(steps);
    expect(dot(normals, reached).sub(offsets).abs().amax().item()).toBeLessThan(1e-5);
    expect([reached.amin().item() >= -1e-6, reached.amax().item() <= 1 + 1e-6]).toEqual([true, true]);
    const longer = vectorLengths(inside.sub(points), norm).sub(vectorLengths(steps, norm));
    expect(longer.amin().item()).toBeGreaterThan(-1e-5);
  });

  test("stays on the hyperplane, and where there is none", () => {
    const points = tensor([0.25, 0.5, 1, 0], [2, 2]);
    const hyperplanes = { normals: tensor([1, 2, 0, 0], [2, 2]), offsets: tensor([1.25, 3]) };
    const steps = projectionSteps(norm, points, hyperplanes).toNumbers();
    expect(steps.map(Math.abs)).toEqual([0, 0, 0, 0]);
  });
});
