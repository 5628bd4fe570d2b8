/** Every data set of the package; a new one is a file and a line here. */
export { cifar10 } from "./cifar10.js";
export { cifar100 } from "./cifar100.js";
export { fashionMnist } from "./fashion-mnist.js";
export { mnist } from "./mnist.js";
export { idx } from "./sources/idx.js";
export { imageFolder } from "./sources/image-folder.js";
export { imageList } from "./sources/image-list.js";
export { npz } from "./sources/npz.js";
export { parquet } from "./sources/parquet.js";
