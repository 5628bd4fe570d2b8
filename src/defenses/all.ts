/** Every defense of the package; a new one is a file and a line here. */
export { binaryWeights } from "./binary-weights.js";
export { deterministicQuantization } from "./deterministic-quantization.js";
export { sqa } from "./sqa.js";
