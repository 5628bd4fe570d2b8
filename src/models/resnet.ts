import * as z from "zod";
import type { Seed } from "../base/index.js";
import type { Tensor } from "../engine/index.js";
import {
  applyInTurn,
  applyResidual,
  BatchNorm2d,
  type Conv2d,
  GlobalAveragePool,
  Linear,
  MaxPool2d,
  Module,
  type OnnxEdge,
  type OnnxSketch,
  type Pass,
  ReLU,
  Sequential,
  writeInTurn,
} from "../nn/index.js";
import { defineModel } from "./architecture.js";
import { checkSize, cifarImages, convolution, residualActivations, stagedOptions } from "./residual.js";

interface BlockSizes {
  readonly in: number;
  /** Width of the block's inner convolutions. */
  readonly width: number;
  readonly stride: number;
}

/**
 * The shortcut of a block that changes the shape: 1x1 convolution and batch normalization; undefined where
 * none is needed.
 */
function downsampling(seed: Seed, from: number, to: number, stride: number): Module | undefined {
  if (stride === 1 && from === to) return undefined;
  return new Sequential({ 0: convolution(seed, from, to, 1, stride), 1: new BatchNorm2d(to) });
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

  constructor(seed: Seed, { in: from, width, stride }: BlockSizes) {
    super();
    this.conv1 = convolution(seed, from, width, 3, stride);
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = convolution(seed, width, width, 3);
    this.bn2 = new BatchNorm2d(width);
    this.downsample = downsampling(seed, from, width, stride);
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    const inner = applyInTurn([this.conv1, this.bn1, this.relu1], input, pass);
    const shortcut = this.downsample?.apply(input, pass) ?? input;
    return applyResidual([this.conv2, this.bn2], this.relu2, { input: inner, shortcut }, pass);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const layers = [this.conv1, this.bn1, this.relu1, this.conv2, this.bn2];
    const residual = writeInTurn(layers, input, sketch);
    const shortcut = this.downsample?.toOnnx(input, sketch) ?? input;
    return this.relu2.toOnnx(sketch.node("Add", [residual, shortcut]), sketch);
  }
}

/**
 * Convolutions 1x1, 3x3 (with the stride, as torchvision has it) and 1x1 to four times the width, and a
 * shortcut.
 */
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

  constructor(seed: Seed, { in: from, width, stride }: BlockSizes) {
    super();
    this.conv1 = convolution(seed, from, width, 1);
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = convolution(seed, width, width, 3, stride);
    this.bn2 = new BatchNorm2d(width);
    this.conv3 = convolution(seed, width, 4 * width, 1);
    this.bn3 = new BatchNorm2d(4 * width);
    this.downsample = downsampling(seed, from, 4 * width, stride);
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    const narrow = applyInTurn([this.conv1, this.bn1, this.relu1], input, pass);
    const inner = applyInTurn([this.conv2, this.bn2, this.relu2], narrow, pass);
    const shortcut = this.downsample?.apply(input, pass) ?? input;
    return applyResidual([this.conv3, this.bn3], this.relu3, { input: inner, shortcut }, pass);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const { conv1, bn1, relu1, conv2, bn2, relu2, conv3, bn3 } = this;
    const layers = [conv1, bn1, relu1, conv2, bn2, relu2, conv3, bn3];
    const residual = writeInTurn(layers, input, sketch);
    const shortcut = this.downsample?.toOnnx(input, sketch) ?? input;
    return this.relu3.toOnnx(sketch.node("Add", [residual, shortcut]), sketch);
  }
}

type Block = typeof BasicBlock | typeof Bottleneck;

/** Sizes of a residual network. */
interface Sizes {
  readonly block: Block;
  /** Blocks of each stage. */
  readonly depths: readonly number[];
  readonly channels: number;
  readonly width: number;
  readonly classes: number;
  readonly stem: "cifar" | "imagenet";
}

/** Stem and four stages; all but the stem is torchvision's. */
function layers(seed: Seed, { block, depths, channels, width, classes, stem }: Sizes): Module {
  let from = width;
  const stage = (index: number) => {
    const inner = width * 2 ** index;
    const blocks = Array.from({ length: depths[index]! }, (_, i) => {
      const stride = i === 0 && index > 0 ? 2 : 1;
      const made = new block(seed, { in: from, width: inner, stride });
      from = inner * block.expansion;
      return [String(i), made] as const;
    });
    return new Sequential(Object.fromEntries(blocks));
  };
  const large = stem === "imagenet";
  return new Sequential({
    conv1: large ? convolution(seed, channels, width, 7, 2) : convolution(seed, channels, width, 3),
    bn1: new BatchNorm2d(width),
    relu: new ReLU(),
    ...(large ? { maxpool: new MaxPool2d(3, { stride: 2, padding: 1 }) } : {}),
    layer1: stage(0),
    layer2: stage(1),
    layer3: stage(2),
    layer4: stage(3),
    avgpool: new GlobalAveragePool(),
    fc: new Linear(from, classes, { seed }),
  });
}

const options = stagedOptions.extend({
  stem: z
    .enum(["cifar", "imagenet"])
    .default("cifar")
    .describe("cifar: 3x3 without stride; imagenet: 7x7 with stride 2 and max-pooling, for 224-pixel images"),
});

function resnet<const Name extends string>(name: Name, block: Block, depths: readonly number[]) {
  const stages = depths.map((depth, index) => [`layer${index + 1}`, depth] as const);
  return defineModel(name, {
    summary: `${name.replace("resnet", "ResNet-")} (He et al. 2016), by default in CIFAR form`,
    options,
    defaults: cifarImages,
    layout({ width, stem, inputShape, classes }) {
      checkSize(inputShape);
      const sizes = { block, depths, channels: inputShape[0], width, classes, stem };
      return { activations: residualActivations("relu", stages), layers: (seed) => layers(seed, sizes) };
    },
  });
}

export const resnet18 = resnet("resnet18", BasicBlock, [2, 2, 2, 2]);
export const resnet34 = resnet("resnet34", BasicBlock, [3, 4, 6, 3]);
export const resnet50 = resnet("resnet50", Bottleneck, [3, 4, 6, 3]);
export const resnet101 = resnet("resnet101", Bottleneck, [3, 4, 23, 3]);
