export { equation10, fittedForwardBackward, type MeasuredCost, predictedSeconds } from "./cost-model.js";
export { neighborAgreement } from "./neighbors.js";
export { penultimate } from "./penultimate.js";
export { type TSneOptions, type TSneProgress, tSne } from "./t-sne.js";
