import type { Seed } from "../base/index.js";
import type { Tensor } from "../engine/index.js";
import {
  applyInTurn,
  type BatchNorm2d,
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
import { defineModel, type ModelDefinition } from "./model.js";

interface BlockSizes {
  readonly in: number;
  /** Width of the block's inner convolutions. */
  readonly width: number;
  readonly stride: number;
}

/** The shortcut of a block that changes the shape: 1x1 convolution and batch normalization; undefined where none is needed. */
function downsampling(seed: Seed, name: string, from: number, to: number, stride: number): Module | undefined {
  if (stride === 1 && from === to) return undefined;
  return new Sequential({ 0: convolution(seed, `${name}.downsample.0`, from, to, 1, stride), 1: batchNorm2d(to) });
}

/** Two convolutions 3x3 and a shortcut (He et al. 2016, figure 5, left). */
class BasicBlock extends Module {
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly relu1 = new ReLU();
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Module | undefined;
  readonly relu2 = new ReLU();

  constructor(seed: Seed, name: string, { in: from, width, stride }: BlockSizes) {
    super();
    this.conv1 = convolution(seed, `${name}.conv1`, from, width, 3, stride);
    this.bn1 = batchNorm2d(width);
    this.conv2 = convolution(seed, `${name}.conv2`, width, width, 3);
    this.bn2 = batchNorm2d(width);
    this.downsample = downsampling(seed, name, from, width, stride);
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    const inner = applyInTurn([this.conv1, this.bn1, this.relu1], input, pass);
    const residual = applyInTurn([this.conv2, this.bn2], inner, pass);
    return this.relu2.apply(residual.add(this.downsample?.apply(input, pass) ?? input), pass);
  }
}

/** Convolutions 1x1, 3x3 (with the stride, as torchvision has it) and 1x1 to four times the width, and a shortcut. */
class Bottleneck extends Module {
  static readonly expansion = 4;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly relu1 = new ReLU();
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly relu2 = new ReLU();
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly downsample: Module | undefined;
  readonly relu3 = new ReLU();

  constructor(seed: Seed, name: string, { in: from, width, stride }: BlockSizes) {
    super();
    this.conv1 = convolution(seed, `${name}.conv1`, from, width, 1);
    this.bn1 = batchNorm2d(width);
    this.conv2 = convolution(seed, `${name}.conv2`, width, width, 3, stride);
    this.bn2 = batchNorm2d(width);
    this.conv3 = convolution(seed, `${name}.conv3`, width, 4 * width, 1);
    this.bn3 = batchNorm2d(4 * width);
    this.downsample = downsampling(seed, name, from, 4 * width, stride);
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    const narrow = applyInTurn([this.conv1, this.bn1, this.relu1], input, pass);
    const inner = applyInTurn([this.conv2, this.bn2, this.relu2], narrow, pass);
    const residual = applyInTurn([this.conv3, this.bn3], inner, pass);
    return this.relu3.apply(residual.add(this.downsample?.apply(input, pass) ?? input), pass);
  }
}

type Block = typeof BasicBlock | typeof Bottleneck;

/** The CIFAR form: a 3x3 convolution without stride and no max-pooling before the four stages, all else as on ImageNet. */
function layers(
  seed: Seed,
  { block, depths, width, classes }: { block: Block; depths: readonly number[]; width: number; classes: number },
  first: Record<string, Module>,
): Module {
  let channels = width;
  const stage = (index: number) => {
    const inner = width * 2 ** index;
    const blocks = Array.from({ length: depths[index]! }, (_, i) => {
      const made = new block(seed, `layer${index + 1}.${i}`, {
        in: channels,
        width: inner,
        stride: i === 0 && index > 0 ? 2 : 1,
      });
      channels = inner * block.expansion;
      return [String(i), made] as const;
    });
    return new Sequential(Object.fromEntries(blocks));
  };
  return new Sequential({
    ...first,
    conv1: convolution(seed, "conv1", 3, width, 3),
    bn1: batchNorm2d(width),
    relu: new ReLU(),
    layer1: stage(0),
    layer2: stage(1),
    layer3: stage(2),
    layer4: stage(3),
    avgpool: new GlobalAveragePool(),
    fc: linear(seed, "fc", { in: channels, out: classes }),
  });
}

function resnet(name: string, block: Block, depths: readonly number[]): ModelDefinition {
  const stages = depths.map((depth, index) => [`layer${index + 1}`, depth] as const);
  return defineModel(name, {
    summary: `${name.replace("resnet", "ResNet-")} in CIFAR form (He et al. 2016), for color images of 32 x 32`,
    options: stagedImageOptions,
    architecture: ({ classes, normalization, quantized, width }) => ({
      inputShape: colorImageShape,
      classes,
      quantizedLayers: defaultPlaces("relu", stages, quantized),
      layers: (seed) => layers(seed, { block, depths, width, classes }, normalizationLayer(normalization)),
    }),
  });
}

export const resnet18 = resnet("resnet18", BasicBlock, [2, 2, 2, 2]);
export const resnet34 = resnet("resnet34", BasicBlock, [3, 4, 6, 3]);
export const resnet50 = resnet("resnet50", Bottleneck, [3, 4, 6, 3]);
export const resnet101 = resnet("resnet101", Bottleneck, [3, 4, 23, 3]);
