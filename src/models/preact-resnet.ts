import * as z from "zod";
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
import { defineModel } from "./architecture.js";
import { checkSize, cifarImages, convolution, residualActivations, stagedOptions } from "./residual.js";

/** Input of a shortcut that changes the shape: the block's own, or what its first ReLU gives. */
type ShortcutInput = "input" | "activation";

/** Sizes of a block. */
interface BlockSizes {
  readonly from: number;
  readonly to: number;
  readonly stride: number;
  readonly shortcut: ShortcutInput;
}

/**
 * Normalization and ReLU before each of two convolutions; a shortcut that changes the shape is a 1x1
 * convolution.
 */
class PreActBlock extends Module {
  readonly bn1;
  readonly relu1 = new ReLU();
  readonly conv1: Conv2d;
  readonly bn2;
  readonly relu2 = new ReLU();
  readonly conv2: Conv2d;
  readonly shortcut: Module | undefined;
  readonly #shortcutInput: ShortcutInput;

  constructor(seed: Seed, { from, to, stride, shortcut }: BlockSizes) {
    super();
    this.#shortcutInput = shortcut;
    this.bn1 = new BatchNorm2d(from);
    this.conv1 = convolution(seed, from, to, 3, stride);
    this.bn2 = new BatchNorm2d(to);
    this.conv2 = convolution(seed, to, to, 3);
    if (stride !== 1 || from !== to) {
      this.shortcut = new Sequential({ 0: convolution(seed, from, to, 1, stride) });
    }
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    const active = applyInTurn([this.bn1, this.relu1], input, pass);
    const inner = applyInTurn([this.conv1, this.bn2, this.relu2], active, pass);
    const around = this.#shortcutInput === "input" ? input : active;
    return this.conv2.apply(inner, pass).add(this.shortcut?.apply(around, pass) ?? input);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const active = writeInTurn([this.bn1, this.relu1], input, sketch);
    const residual = writeInTurn([this.conv1, this.bn2, this.relu2, this.conv2], active, sketch);
    const around = this.#shortcutInput === "input" ? input : active;
    return sketch.node("Add", [residual, this.shortcut?.toOnnx(around, sketch) ?? input]);
  }
}

/** Sizes of the network. */
interface Sizes {
  readonly channels: number;
  readonly width: number;
  readonly classes: number;
  readonly shortcut: ShortcutInput;
}

function layers(seed: Seed, { channels, width, classes, shortcut }: Sizes): Module {
  const stage = (index: number, from: number, to: number) =>
    new Sequential({
      0: new PreActBlock(seed, { from, to, stride: index === 1 ? 1 : 2, shortcut }),
      1: new PreActBlock(seed, { from: to, to, stride: 1, shortcut }),
    });
  return new Sequential({
    conv1: convolution(seed, channels, width, 3),
    layer1: stage(1, width, width),
    layer2: stage(2, width, 2 * width),
    layer3: stage(3, 2 * width, 4 * width),
    layer4: stage(4, 4 * width, 8 * width),
    bn: new BatchNorm2d(8 * width),
    relu: new ReLU(),
    avgpool: new GlobalAveragePool(),
    linear: new Linear(8 * width, classes, { seed }),
  });
}

const stages = [1, 2, 3, 4].map((index) => [`layer${index}`, 2] as const);

/**
 * PreActResNet-18 (He et al. 2016, "Identity mappings"), with the batch normalization and ReLU after the last
 * block that some copies lack. Names of the weights, and the shortcut's input, are those of Wong et al.'s
 * fast_adversarial and of RobustBench; some copies (Rice et al. 2020 on CIFAR-100) take
 * `shortcut=activation`.
 */
// The first layer has no ReLU of its own: its activation is the first block's.
export const preactResnet18 = defineModel("preact-resnet18", {
  summary: "PreActResNet-18 (He et al. 2016) with its final normalization",
  options: stagedOptions.extend({
    shortcut: z
      .enum(["input", "activation"])
      .default("input")
      .describe("input of a shortcut that changes the shape: the block's input, or its first activation"),
  }),
  defaults: cifarImages,
  layout({ width, shortcut, inputShape, classes }) {
    checkSize(inputShape);
    return {
      activations: residualActivations("layer1.0.relu1", stages),
      layers: (seed) => layers(seed, { channels: inputShape[0], width, classes, shortcut }),
    };
  },
});
