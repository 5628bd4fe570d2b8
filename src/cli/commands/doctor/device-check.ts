import { sqa } from "../../../defenses/index.js";
import {
  captureGraph,
  capturesGraphs,
  countedUniform,
  grad,
  imageIdRange,
  type QuantizationRange,
  quantizationRanges,
  quantizeActivation,
  type Rounding,
  roundings,
  scope,
  type Tensor,
} from "../../../engine/index.js";
import { small } from "../../../models/index.js";
import { meanCrossEntropy, replayed } from "../../../nn/index.js";

const noiseOf = (imageIds: Tensor) => ({ seed: { low: 1, high: 2 }, draw: 3, imageIds });

/** True where two tensors, wherever they are, hold the same bits; NaN does not occur. */
function sameBits(a: Tensor, b: Tensor): boolean {
  return (
    a.shape.join() === b.shape.join() &&
    a
      .to({ device: "cpu" })
      .eq(b.to({ device: "cpu" }))
      .all()
      .item() === 1
  );
}

function quantizes(device: string, range: QuantizationRange, rounding: Rounding): boolean {
  const ids = imageIdRange(4, 3);
  const input = countedUniform(noiseOf(ids), 9, [8, 12, 12]);
  const option = { lambda: 2, range, rounding };
  const quantized = (h: Tensor, imageIds: Tensor) =>
    quantizeActivation(h, option, { noise: noiseOf(imageIds), stream: 1 });
  const expected = quantized(input, ids);
  const there = [input, input.contiguous("channelsLast")].map((h) =>
    quantized(h.to({ device }), ids.to({ device })),
  );
  const half = input.to("bfloat16");
  const halves = device === "cpu" ? [] : [quantized(half.to({ device }), ids)];
  return (
    there.every((y) => sameBits(y, expected)) &&
    halves.every((y) => sameBits(y, quantized(half.to("float32"), ids).to("bfloat16")))
  );
}

/**
 * Loss of a small model without its noise, and the length of its first weight's gradient; `captured`: as a
 * graph's replay gives them.
 */
function trainingPass(device: string, captured = false): number[] {
  const { module } = small().build({ seed: 0, defenses: [sqa()] });
  module.to(device);
  const imageIds = imageIdRange(0, 16);
  const images = countedUniform(noiseOf(imageIds), 2, [1, 28, 28]).to({ device });
  const labels = imageIds.div(2).to("int64").to({ device });
  const noise = noiseOf(imageIds.to({ device }));
  const work = () => {
    const loss = meanCrossEntropy(
      module.apply(images, { training: true, noiseFree: true, noise }),
      labels,
      0,
    );
    const [gradient] = grad(loss, [...module.parameters().values()].slice(0, 1));
    return [loss.detach(), gradient!.square().sum().sqrt()];
  };
  const read = (results: readonly Tensor[]) => results.map((result) => result.item());
  let numbers = read(work());
  if (captured) {
    const graph = captureGraph(device, work);
    graph.replay();
    numbers = read(graph.results);
    graph.dispose();
  }
  module.dispose();
  return numbers;
}

/**
 * True where an attack's passes, replayed as graphs, have the logits and gradients that operators give one by
 * one.
 */
function replays(device: string): boolean {
  const model = small().build({ seed: 0, defenses: [sqa()] });
  model.module.to(device);
  const imageIds = imageIdRange(0, 8).to({ device });
  const images = countedUniform({ ...noiseOf(imageIds), draw: 1 }, 2, [1, 28, 28]);
  const plain = model.classifier();
  const graphs = replayed(plain, device);
  const close = (a: Tensor, b: Tensor) => a.sub(b).abs().amax().item() <= 0.02 * b.abs().amax().item();
  const agrees = Array.from({ length: 6 }, (_, draw) => {
    const noise = { ...noiseOf(imageIds), draw };
    const input = images.detach().requireGrad();
    const logits = plain.logits(input, noise);
    const [gradient] = grad(logits.square().sum(), [input]);
    const pass = graphs.pass!(images, noise);
    return (
      pass === undefined ||
      (close(pass.logits, logits.detach()) && close(pass.imageGradient(logits.detach().mul(2)), gradient!))
    );
  });
  graphs.dispose();
  model.module.dispose();
  return agrees.every((one) => one);
}

/**
 * Disagreement of a device with the CPU; undefined where nothing is wrong. Counted noise and SQA must be the
 * same bits. A training pass, a captured training pass and an attack's passes must agree within 2 %:
 * convolutions may be in TF32 there.
 */
export function disagreement(device: string): string | undefined {
  return scope(() => {
    const ids = imageIdRange(2, 5);
    const drawn = (imageIds: Tensor) => countedUniform(noiseOf(imageIds), 1, [3, 7, 5]);
    if (!sameBits(drawn(ids.to({ device })), drawn(ids))) return "counted noise differs from the CPU's";
    for (const range of quantizationRanges) {
      for (const rounding of roundings) {
        if (!quantizes(device, range, rounding))
          return `SQA (range ${range}, ${rounding}) differs from the CPU's`;
      }
    }
    const here = trainingPass("cpu");
    for (const captured of capturesGraphs(device) ? [false, true] : [false]) {
      const there = trainingPass(device, captured);
      if (there.every((value, i) => Math.abs(value - here[i]!) <= 0.02 * Math.abs(here[i]!))) continue;
      const pass = captured ? "a captured training pass" : "a training pass";
      return `${pass} gives loss and gradient ${there.join(", ")}, the CPU ${here.join(", ")}`;
    }
    if (capturesGraphs(device) && !replays(device))
      return "an attack's passes, replayed as graphs, give other gradients";
    return undefined;
  });
}
