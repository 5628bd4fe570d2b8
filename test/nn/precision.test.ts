import { expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { deterministicQuantization } from "../../src/defenses/index.js";
import {
  countedNormal,
  grad,
  imageIdRange,
  operators as ops,
  type Tensor,
  tensor,
} from "../../src/engine/index.js";
import { models, small } from "../../src/models/index.js";
import { inBfloat16 } from "../../src/nn/bfloat16.js";
import { crossEntropy, type Precision } from "../../src/nn/index.js";

const count = 16;
const noise = { seed: deriveSeed(3), draw: 0, imageIds: imageIdRange(0, count) };
const labels = tensor(
  Array.from({ length: count }, (_, i) => i % 10),
  [count],
  "int64",
);

function lossAndGradients(name: string, precision: Precision | undefined, training = true) {
  const { module, inputShape } = models.parse(name).build({ seed: 0 });
  const images = countedNormal(noise, 1, inputShape).mul(0.2).add(0.5).clamp(0, 1).requireGrad();
  const logits = module.apply(images, { training, noise, precision });
  const loss = crossEntropy(logits.to("float32"), labels).sum();
  const gradients = grad(loss, [images, ...module.parameters().values()], { unused: "zeros" });
  return { dtype: logits.dtype, loss: loss.item(), gradients };
}

/** The cosine of the angle between two tensors as vectors. */
function cosine(a: number[], b: number[]): number {
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

test.each(["small", "small(batchNorm=true)"])(
  "%s in bfloat16 has float32's loss and gradients to rounding",
  (name) => {
    const exact = lossAndGradients(name, undefined);
    const half = lossAndGradients(name, "bfloat16");
    expect([exact.dtype, half.dtype]).toEqual(["float32", "bfloat16"]);
    // Eight bits of mantissa: an error of 2^-9 an operation; where two values are near, ReLU and pooling may
    // choose otherwise.
    expect(Math.abs(half.loss / exact.loss - 1)).toBeLessThan(0.01);
    for (const [i, gradient] of half.gradients.entries()) {
      expect(gradient.dtype).toBe("float32");
      const [a, b] = [gradient.toNumbers(), exact.gradients[i]!.toNumbers()];
      // A bias before batch normalization has no gradient but rounding.
      if (Math.hypot(...b) > 1e-4) expect(cosine(a, b)).toBeGreaterThan(0.95);
    }
  },
);

test("a classifier in bfloat16 gives logits in float32", () => {
  const { inputShape, classifier } = small().build({ seed: 0, defenses: [deterministicQuantization()] });
  const images = countedNormal(noise, 1, inputShape).mul(0.2).add(0.5).clamp(0, 1);
  const logits = classifier({ precision: "bfloat16" }).logits(images, noise);
  expect(logits.dtype).toBe("float32");
  const exact = classifier().logits(images, noise).toNumbers();
  expect(logits.toNumbers()).not.toEqual(exact);
  for (const [i, value] of logits.toNumbers().entries())
    expect(Math.abs(value - exact[i]!)).toBeLessThan(0.05);
});

test("a layer in bfloat16 is libtorch's operator in bfloat16, its gradients float32's rounded once", () => {
  const normal = (stream: number, shape: readonly number[]) =>
    countedNormal(noise, stream, shape).to("bfloat16");
  const [weight, input] = [normal(2, [4, 3, 3]), normal(3, [4, 9, 9])];
  const convolution = (x: Tensor, w: Tensor) => ops.conv2d(x, w, null, [1, 1], [1, 1]);
  const wide = [input, weight].map((tensor) => tensor.to("float32").requireGrad()) as [Tensor, Tensor];
  const output = inBfloat16(convolution, ...wide, null);
  expect(output.dtype).toBe("bfloat16");
  const [ours, libtorchs] = [output.toNumbers(), convolution(input, weight).toNumbers()];
  // A sum between two values may go to either, as its parts are added in one order or another.
  expect(ours.filter((x, i) => x === libtorchs[i]).length).toBeGreaterThan(0.99 * ours.length);
  // libtorch adds the parts of its gradients up in bfloat16, so float32 is the reference for ours.
  const slope = normal(4, output.shape.slice(1)).to("float32");
  const gradients = (y: Tensor) =>
    grad(y.to("float32").mul(slope).sum(), wide).map((tensor) => tensor.toNumbers());
  const [rounded, exact] = [gradients(output), gradients(convolution(...wide))];
  for (const [i, values] of rounded.entries()) {
    const largest = Math.max(...exact[i]!.map(Math.abs));
    for (const [j, x] of values.entries()) {
      expect(Math.abs(x - exact[i]![j]!)).toBeLessThanOrEqual(
        Math.abs(exact[i]![j]!) * 2 ** -8 + largest * 1e-6,
      );
    }
  }
});
