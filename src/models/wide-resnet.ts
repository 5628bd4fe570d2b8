import type { Seed } from "../base/index.js";
import type { Tensor } from "../engine/index.js";
import {
  applyInTurn,
  BatchNorm2d,
  type Conv2d,
  GlobalAveragePool,
  Linear,
  Module,
  type OnnxEdge,
  type OnnxSketch,
  type Pass,
  ReLU,
  Sequential,
  writeInTurn,
} from "../nn/index.js";
import { defineModel, normalizedImageOptions } from "./architecture.js";
import { checkSize, cifarImages, convolution, residualActivations } from "./residual.js";

/** A pre-activation block whose shortcut, where the width changes, is a 1x1 convolution. */
class WideBlock extends Module {
  readonly bn1;
  readonly relu1 = new ReLU();
  readonly conv1: Conv2d;
  readonly bn2;
  readonly relu2 = new ReLU();
  readonly conv2: Conv2d;
  readonly convShortcut: Conv2d | undefined;

  constructor(seed: Seed, from: number, to: number, stride: number) {
    super();
    this.bn1 = new BatchNorm2d(from);
    this.conv1 = convolution(seed, from, to, 3, stride);
    this.bn2 = new BatchNorm2d(to);
    this.conv2 = convolution(seed, to, to, 3);
    if (from !== to) this.convShortcut = convolution(seed, from, to, 1, stride);
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    const active = applyInTurn([this.bn1, this.relu1], input, pass);
    const inner = applyInTurn([this.conv1, this.bn2, this.relu2], active, pass);
    return this.conv2.apply(inner, pass).add(this.convShortcut?.apply(active, pass) ?? input);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const active = writeInTurn([this.bn1, this.relu1], input, sketch);
    const residual = writeInTurn([this.conv1, this.bn2, this.relu2, this.conv2], active, sketch);
    return sketch.node("Add", [residual, this.convShortcut?.toOnnx(active, sketch) ?? input]);
  }
}

/** The network's own key for a stage's blocks is `block1.layer.0`. */
class Stage extends Module {
  constructor(readonly layer: Sequential) {
    super();
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    return this.layer.apply(input, pass);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    return this.layer.toOnnx(input, sketch);
  }
}

/**
 * The modules of a WideResNet of 6 n + 4 layers, n blocks in each of three stages of widths 16, 32 and 64
 * times k.
 */
function layers(
  seed: Seed,
  {
    blocks,
    widening,
    channels,
    classes,
  }: { blocks: number; widening: number; channels: number; classes: number },
): Module {
  const widths = [16, 16 * widening, 32 * widening, 64 * widening];
  const stage = (index: number) => {
    const [from, to] = [widths[index - 1]!, widths[index]!];
    const made = Array.from({ length: blocks }, (_, i) => {
      const stride = i === 0 && index > 1 ? 2 : 1;
      return [String(i), new WideBlock(seed, i === 0 ? from : to, to, stride)] as const;
    });
    return new Stage(new Sequential(Object.fromEntries(made)));
  };
  return new Sequential({
    conv1: convolution(seed, channels, 16, 3),
    block1: stage(1),
    block2: stage(2),
    block3: stage(3),
    bn1: new BatchNorm2d(widths[3]!),
    relu: new ReLU(),
    avgpool: new GlobalAveragePool(),
    fc: new Linear(widths[3]!, classes, { seed }),
  });
}

/**
 * WideResNet (Zagoruyko and Komodakis 2016) without dropout, of `depth` = 6 n + 4 layers. Names of the
 * weights are those of TRADES and RobustBench.
 */
export function wideResnet<const Depth extends number, const Widening extends number>(
  depth: Depth,
  widening: Widening,
) {
  const blocks = (depth - 4) / 6;
  if (!Number.isInteger(blocks) || blocks < 1)
    throw new RangeError(`depth must be 10, 16, 22, ..., not ${depth}`);
  const stages = [1, 2, 3].map((index) => [`block${index}.layer`, blocks] as const);
  return defineModel(`wide-resnet-${depth}-${widening}`, {
    summary: `WideResNet-${depth}-${widening} (Zagoruyko and Komodakis 2016)`,
    options: normalizedImageOptions,
    defaults: cifarImages,
    layout({ inputShape, classes }) {
      checkSize(inputShape);
      return {
        // As in PreActResNet, the first layer's activation is that of the first block.
        activations: residualActivations("block1.layer.0.relu1", stages),
        layers: (seed) => layers(seed, { blocks, widening, channels: inputShape[0], classes }),
      };
    },
  });
}

export const wideResnet2810 = wideResnet(28, 10);
export const wideResnet3410 = wideResnet(34, 10);
