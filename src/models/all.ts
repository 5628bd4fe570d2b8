/** Every architecture of the package; a new one is a file and a line here. */
export { compact } from "./compact.js";
export { preactResnet18 } from "./preact-resnet.js";
export { resnet18, resnet34, resnet50, resnet101 } from "./resnet.js";
export { large, small } from "./vanilla-cnn.js";
export { wideResnet2810, wideResnet3410 } from "./wide-resnet.js";
