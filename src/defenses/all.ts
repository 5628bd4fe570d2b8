/** Every defense of the package; a new one is a file and a line here. */
export { binarizedNetwork } from "./binarized-network.js";
export { binaryWeights } from "./binary-weights.js";
export { deterministicQuantization } from "./deterministic-quantization.js";
export { guidedDenoiser } from "./guided-denoiser.js";
export { pixelDefend } from "./pixel-defend.js";
export { randomResizePad } from "./random-resize-pad.js";
export { sap } from "./sap.js";
export { sqa } from "./sqa.js";
export { thermometer } from "./thermometer.js";
