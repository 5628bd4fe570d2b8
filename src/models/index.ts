import { type Named, Registry } from "../options/named.js";
import { compact } from "./compact.js";
import type { Network } from "./model.js";
import { preactResnet18 } from "./preact-resnet.js";
import { resnet18, resnet34, resnet50, resnet101 } from "./resnet.js";
import { large, small } from "./vanilla-cnn.js";
import { wideResnet2810, wideResnet3410 } from "./wide-resnet.js";

export {
  defineModel,
  type Model,
  type ModelDefinition,
  type Network,
  type QuantizationOptions,
  quantizationOptions,
} from "./model.js";
export {
  compact,
  large,
  preactResnet18,
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  small,
  wideResnet2810,
  wideResnet3410,
};

/** Every network; a new one is a file and a name here. */
export const models = [
  small,
  large,
  compact,
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  preactResnet18,
  wideResnet2810,
  wideResnet3410,
] as const;

const registry = new Registry<Network>("network", models);

/**
 * The network that text stands for: `small`, `resnet18(classes=100, normalization=cifar100)`. Throws a RangeError that
 * suggests the nearest known name or option.
 */
export function parseNetwork(text: string): Named<Network> {
  return registry.parse(text);
}
