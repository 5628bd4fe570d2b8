/** Methods that say what a module computes: a form in ONNX goes with those of its own class. */
const computing = ["apply", "forward", "operator", "applyWith"];

/**
 * Tells whether a module's form in ONNX is that of its own work: a subclass that overrides `forward` alone
 * has inherited a form of something else.
 *
 * @param base prototype of all modules, whose own form is none
 */
export function hasOnnxForm(module: object, base: object): boolean {
  for (let at = module; at !== base; at = Object.getPrototypeOf(at) as object) {
    if (Object.hasOwn(at, "onnx")) return true;
    if (computing.some((method) => Object.hasOwn(at, method))) return false;
  }
  return false;
}

/** Error for a module that has no form in ONNX. */
export function noOnnxForm(module: object): TypeError {
  const { name } = module.constructor;
  return new TypeError(
    `${name === "" ? "a module" : name} has no form in ONNX: build it of the layers of sqa/nn, or give its ` +
      "class a method onnx(input, sketch) beside its forward",
  );
}
