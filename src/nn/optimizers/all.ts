/** Every optimizer of the package; a new one is a file and a line here. */
export { adam } from "./adam.js";
export { sgd } from "./sgd.js";
