/** Every guard of the package; a new one is a file and a line here. */
export { noGuard } from "./none.js";
export { rollBack } from "./roll-back.js";
