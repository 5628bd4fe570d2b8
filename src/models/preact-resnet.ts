import type { Seed } from "../base/index.js";
import type { Tensor } from "../engine/index.js";
import {
  applyInTurn,
  batchNorm2d,
  type Conv2d,
  GlobalAveragePool,
  linear,
  Module,
  type Pass,
  ReLU,
  Sequential,
} from "../nn/index.js";
import { colorImageShape, defaultPlaces, normalizationLayer, stagedImageOptions } from "./color-images.js";
import { convolution } from "./convolution.js";
import { defineModel } from "./model.js";

/** Normalization and ReLU before each of two convolutions; a shortcut that changes the shape starts after the first ReLU. */
class PreActBlock extends Module {
  readonly bn1;
  readonly relu1 = new ReLU();
  readonly conv1: Conv2d;
  readonly bn2;
  readonly relu2 = new ReLU();
  readonly conv2: Conv2d;
  readonly shortcut: Module | undefined;

  constructor(seed: Seed, name: string, from: number, to: number, stride: number) {
    super();
    this.bn1 = batchNorm2d(from);
    this.conv1 = convolution(seed, `${name}.conv1`, from, to, 3, stride);
    this.bn2 = batchNorm2d(to);
    this.conv2 = convolution(seed, `${name}.conv2`, to, to, 3);
    if (stride !== 1 || from !== to) {
      this.shortcut = new Sequential({ 0: convolution(seed, `${name}.shortcut.0`, from, to, 1, stride) });
    }
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    const active = applyInTurn([this.bn1, this.relu1], input, pass);
    const inner = applyInTurn([this.conv1, this.bn2, this.relu2], active, pass);
    return this.conv2.apply(inner, pass).add(this.shortcut?.apply(active, pass) ?? input);
  }
}

function layers(
  seed: Seed,
  { width, classes }: { width: number; classes: number },
  first: Record<string, Module>,
): Module {
  const stage = (index: number, from: number, to: number) =>
    new Sequential({
      0: new PreActBlock(seed, `layer${index}.0`, from, to, index === 1 ? 1 : 2),
      1: new PreActBlock(seed, `layer${index}.1`, to, to, 1),
    });
  return new Sequential({
    ...first,
    conv1: convolution(seed, "conv1", 3, width, 3),
    layer1: stage(1, width, width),
    layer2: stage(2, width, 2 * width),
    layer3: stage(3, 2 * width, 4 * width),
    layer4: stage(4, 4 * width, 8 * width),
    bn: batchNorm2d(8 * width),
    relu: new ReLU(),
    avgpool: new GlobalAveragePool(),
    linear: linear(seed, "linear", { in: 8 * width, out: classes }),
  });
}

const stages = [1, 2, 3, 4].map((index) => [`layer${index}`, 2] as const);

/**
 * PreActResNet-18 (He et al. 2016, "Identity mappings"), with the batch normalization and ReLU after the last block that
 * some copies lack. Names of the weights are those of Wong et al.'s fast_adversarial and of RobustBench.
 */
// The first layer has no ReLU of its own: its activation is the first block's.
export const preactResnet18 = defineModel("preact-resnet18", {
  summary: "PreActResNet-18 with its final normalization, for color images of 32 x 32",
  options: stagedImageOptions,
  architecture: ({ classes, normalization, quantized, width }) => ({
    inputShape: colorImageShape,
    classes,
    quantizedLayers: defaultPlaces("layer1.0.relu1", stages, quantized),
    layers: (seed) => layers(seed, { width, classes }, normalizationLayer(normalization)),
  }),
});
