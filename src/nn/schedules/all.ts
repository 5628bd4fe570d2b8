/** Every schedule of the package; a new one is a file and a line here. */
export { constantRate } from "./constant.js";
export { cosineRate } from "./cosine.js";
export { oneCycle } from "./one-cycle.js";
export { stepRate } from "./step.js";
export { triangular } from "./triangular.js";
