/** Every augmentation of the package; a new one is a file and a line here. */
export { cropFlip } from "./crop-flip.js";
export { noAugmentation } from "./none.js";
