import { unknownName } from "../engine/index.js";
import type { ModelDefinition } from "./model.js";
import { large, small } from "./vanilla-cnn.js";

export {
  defineModel,
  type Model,
  type ModelDefinition,
  type QuantizationOptions,
  quantizationOptions,
} from "./model.js";
export { large, small } from "./vanilla-cnn.js";

/** Every network by name. */
export const models: ReadonlyMap<string, ModelDefinition> = new Map([small, large].map((model) => [model.name, model]));

/** The network of a name. Throws a RangeError that suggests the nearest. */
export function modelByName(name: string): ModelDefinition {
  const model = models.get(name);
  if (model === undefined) throw unknownName("network", name, [...models.keys()]);
  return model;
}
