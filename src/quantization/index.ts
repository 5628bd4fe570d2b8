export { isRandomized, matchingNames, placeAfter, placedQuantizers } from "./place.js";
export { type QuantizerFactory, type SqaOptions, StochasticQuantizedActivation, sqa, sqaOptions } from "./sqa.js";
