export { type Call, formatCall, type OptionValue, parseCall } from "./call.js";
export { codeOf, joinedCode } from "./code.js";
export {
  describeOptions,
  describeType,
  describeValue,
  type OptionRow,
  type OptionShape,
  optionShape,
} from "./describe.js";
export { Kind } from "./kind.js";
export { formatRatio, grayLevels, parseRatio, ratio } from "./ratio.js";
export {
  type CheckedOptions,
  changedOptions,
  checkOptions,
  listOptions,
  type OptionFault,
  parseOptions,
  readOption,
} from "./schema.js";
export { readText } from "./text.js";
export type { Combinator, Definition, Factory, TextOf, Value } from "./value.js";
