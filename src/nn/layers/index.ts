export { GELU, type GELUOptions, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh } from "./activations.js";
export type { Size2d } from "./arguments.js";
export { BatchNorm2d, type BatchNorm2dOptions } from "./batch-norm.js";
export { Conv2d, type Conv2dOptions, type ConvolutionSteps } from "./convolution.js";
export { Dropout } from "./dropout.js";
export { Flatten } from "./flatten.js";
export { GroupNorm, LayerNorm, type NormOptions } from "./group-norm.js";
export { Linear, type LinearOptions } from "./linear.js";
export { Packing, type PackingTensors } from "./packing.js";
export {
  AdaptiveAvgPool2d,
  AvgPool2d,
  type AvgPool2dOptions,
  GlobalAveragePool,
  MaxPool2d,
  type MaxPool2dOptions,
} from "./pooling.js";
export { WeightedLayer, type WeightTransform } from "./weighted-layer.js";
