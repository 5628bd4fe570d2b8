import { describe, expect, it } from "vitest";
import { deriveSeed, TensorError } from "../../src/base/index.js";
import {
  countedUniform,
  imageIdRange,
  type LinfBall,
  setThreads,
  signStep,
  signStep_,
  type Tensor,
  tensor,
  threads,
} from "../../src/engine/index.js";

const noise = { seed: deriveSeed(7, "sign step"), draw: 0, imageIds: imageIdRange(0, 6) };
/** Numbers in [low, high), (6, 3, 80, 80): more elements than one piece of work has. */
const numbers = (stream: number, low: number, high: number): Tensor =>
  countedUniform(noise, stream, [3, 80, 80])
    .mul(high - low)
    .add(low);

const images = numbers(0, 0, 1);
const points = numbers(1, -0.1, 1.1);
/** With elements of zero, whose sign is zero. */
const gradient = numbers(2, -1, 1).mul(numbers(3, 0, 1).gt(0.2));

function byOperators(from: Tensor, along: Tensor, length: number, ball?: LinfBall): Tensor {
  const moved = from.add(along.sign(), length);
  if (ball)
    moved.clampTensor_(
      ball.images.sub(ball.radius).clamp(0),
      ball.images.add(ball.radius).clamp(undefined, 1),
    );
  return moved.clamp(0, 1);
}

/** Width before height in memory. */
const turned = (of: Tensor) => of.permute([0, 1, 3, 2]);
const bits = (of: Tensor) => Array.from(new Uint32Array(Float32Array.from(of.toNumbers()).buffer));
const channelsLast = (of: Tensor) => of.contiguous("channelsLast");

describe("signStep", () => {
  it.each([0.3, 8 / 255, -0.1, 0])("has the bits of the operators one by one, length %d", (length) => {
    for (const ball of [undefined, { images, radius: 0.3 }, { images, radius: 0 }]) {
      const expected = bits(byOperators(points, gradient, length, ball));
      expect(bits(signStep(points, gradient, length, ball))).toEqual(expected);
      const moved = points.clone();
      signStep_(moved, gradient, length, ball);
      expect(bits(moved)).toEqual(expected);
    }
  });

  it("takes tensors that lie in memory in any order", () => {
    const ball = { images: channelsLast(images), radius: 0.2 };
    const expected = bits(byOperators(points, gradient, 0.3, ball));
    expect(bits(signStep(channelsLast(points), gradient, 0.3, ball))).toEqual(expected);
    expect(bits(signStep(points, channelsLast(gradient), 0.3, ball))).toEqual(expected);
    const flipped = signStep(turned(points), turned(gradient), 0.3, {
      images: turned(images),
      radius: 0.2,
    });
    expect(bits(turned(flipped))).toEqual(expected);
    const every = points.slice(2, 0, 80, 2);
    const half = gradient.slice(2, 0, 80, 2);
    expect(bits(signStep(every, half, 0.3))).toEqual(bits(byOperators(every, half, 0.3)));
  });

  it("gives the same bits for any number of threads", () => {
    const before = threads();
    const found = [1, 2, 5].map((count) => {
      setThreads(count);
      return bits(signStep(points, gradient, 0.3, { images, radius: 0.3 }));
    });
    setThreads(before);
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
  });

  it("steps in float64 as well", () => {
    const [p, g, x] = [points, gradient, images].map((of) => of.to("float64")) as [Tensor, Tensor, Tensor];
    const expected = byOperators(p, g, 0.3, { images: x, radius: 0.3 });
    const moved = p.clone();
    signStep_(moved, g, 0.3, { images: x, radius: 0.3 });
    expect(signStep(p, g, 0.3, { images: x, radius: 0.3 }).toNumbers()).toEqual(expected.toNumbers());
    expect(moved.toNumbers()).toEqual(expected.toNumbers());
  });

  it("passes a point that is not a number, and does not move along a gradient that is none", () => {
    const some = tensor([Number.NaN, 0.5, 0.5], [1, 1, 1, 3]);
    const along = tensor([1, Number.NaN, Number.POSITIVE_INFINITY], [1, 1, 1, 3]);
    const ball = { images: tensor([0.5, 0.5, 0.5], [1, 1, 1, 3]), radius: 0.25 };
    expect(signStep(some, along, 0.125, ball).toNumbers()).toEqual([Number.NaN, 0.5, 0.625]);
  });

  it("says what it does not take", () => {
    const few = tensor([1, 2], [2]);
    expect(() => signStep(points, few, 0.1)).toThrow(TensorError);
    expect(() => signStep(points, gradient, 0.1, { images: few, radius: 0.1 })).toThrow(
      /images must be float32 on the CPU and of the points' shape/,
    );
    expect(() => signStep_(tensor([1], [1]).expand([2]), few, 0.1)).toThrow(
      /the result must fill its memory/,
    );
    const empty = tensor([], [0]);
    expect(signStep(empty, empty, 0.1).shape).toEqual([0]);
  });
});
