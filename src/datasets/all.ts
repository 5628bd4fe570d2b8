/** Every data set of the package; a new one is a file and a line here. */
export { cifar10 } from "./cifar10.js";
export { fashionMnist } from "./fashion-mnist.js";
export { mnist } from "./mnist.js";
