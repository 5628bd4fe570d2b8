export {
  type BinaryWeightsFactory,
  binarizeWeights,
  binaryWeightOptions,
  binaryWeights,
  clipBinaryWeights,
} from "./binary-weights.js";
export { matchingNames } from "./layer-names.js";
export { placeAfter, placedQuantizers } from "./place.js";
export { type QuantizerFactory, type SqaOptions, StochasticQuantizedActivation, sqa, sqaOptions } from "./sqa.js";
