export { type Pt2File, readPt2 } from "./archive.js";
export type { Pt2Argument, Pt2Size } from "./arguments.js";
export type { Pt2Form, Pt2Node, Pt2Program } from "./program.js";
export { exportAdvice, exportRecipe } from "./recipe.js";
export { rewrittenPt2 } from "./rewritten.js";
export { type Pt2Tensor, spannedBytes } from "./stored-tensors.js";
