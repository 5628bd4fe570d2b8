// Program of one rank of two: batch normalization of its half of a batch, and the largest error beside the whole
// batch in float64, as a part of the largest number.
import { deriveSeed } from "../../../src/base/index.js";
import {
  countedNormal,
  type DType,
  grad,
  imageIdRange,
  joinRanks,
  operators as ops,
  sharedBatchNorm,
  type Tensor,
  tensor,
} from "../../../src/engine/index.js";

const [images, channels, momentum, epsilon] = [16, 8, 0.1, 1e-5];
const names = ["output", "by input", "by weight", "by bias", "running_mean", "running_var"] as const;
const ranks = joinRanks();
const noise = { seed: deriveSeed(3), draw: 0, imageIds: imageIdRange(0, images) };

/** The output, gradients by the input, the weight and the bias, and the running statistics. */
function normalized(input: Tensor, gradient: Tensor, dtype: DType, shared: boolean): Tensor[] {
  const filled = (value: number) => tensor(new Float64Array(channels).fill(value), [channels]).to(dtype);
  const [weight, bias] = [filled(1.3).requireGrad(), filled(0.1).requireGrad()];
  const [mean, variance] = [filled(0), filled(1)];
  const given = input.clone().requireGrad();
  const output = shared
    ? sharedBatchNorm(
        given,
        { weight, bias, running_mean: mean, running_var: variance },
        { momentum, epsilon },
      )
    : ops.batchNorm(given, weight, bias, mean, variance, true, momentum, epsilon, false);
  const gradients = grad(output.mul(gradient).sum(), [given, weight, bias]);
  return [output.detach(), ...gradients, mean, variance];
}

function errorOf(found: Tensor, expected: Tensor): number {
  const difference = found.to("float64").sub(expected).abs().amax().item();
  return difference / expected.abs().amax().item();
}

for (const dtype of ["float32", "bfloat16"] as const) {
  // Far from 0, as behind a convolution with a bias: statistics in bfloat16 would be off by a part of a deviation.
  const whole = [1, 2].map((stream) => countedNormal(noise, stream, [channels, 6, 6]));
  const [input, gradient] = [whole[0]!.add(20).to(dtype), whole[1]!.to(dtype)];
  const half = (all: Tensor) => all.slice(0, (ranks.rank * images) / 2, ((ranks.rank + 1) * images) / 2);
  const found = normalized(half(input).contiguous(), half(gradient).contiguous(), "float32", true);
  const [byWeight, byBias] = ranks.sumTensors([found[2]!, found[3]!]);
  const summed = [found[0]!, found[1]!, byWeight!, byBias!, found[4]!, found[5]!];
  const exact = normalized(input.to("float64"), gradient.to("float64"), "float64", false);
  const errors = summed.map((one, i) => errorOf(one, i < 2 ? half(exact[i]!) : exact[i]!));
  if (!ranks.isFirst) continue;
  process.stdout.write(
    `${JSON.stringify({ dtype, ...Object.fromEntries(names.map((n, i) => [n, errors[i]])) })}\n`,
  );
}
