import { checkKind } from "../base/index.js";
import { native } from "./native.js";
import { Tensor } from "./tensor.js";

/**
 * Gradients of a scalar with respect to chosen tensors only; nothing is left on any other tensor.
 *
 * The graph is freed unless `keepGraph`. An input that the output does not depend on is an error, or has a gradient of
 * zeros where `unused` is `"zeros"`.
 */
export function grad(
  output: Tensor,
  inputs: readonly Tensor[],
  options: { keepGraph?: boolean; createGraph?: boolean; unused?: "error" | "zeros" } = {},
): Tensor[] {
  checkKind("output", output, "a tensor", output instanceof Tensor);
  const listed = Array.isArray(inputs) && inputs.every((input) => input instanceof Tensor);
  checkKind("inputs", inputs, "a list of tensors", listed);
  if (output.size !== 1)
    throw new RangeError(`grad takes a scalar output, not one of shape [${output.shape.join(", ")}]`);
  const { createGraph = false, keepGraph = createGraph, unused = "error" } = options;
  const handles = native().grad(
    [output.handle],
    inputs.map((input) => input.handle),
    null,
    keepGraph,
    createGraph,
  );
  return handles.map((handle, i) => {
    if (handle !== null) return new Tensor(handle);
    if (unused === "zeros") return inputs[i]!.zerosLike();
    throw new RangeError(`the output does not depend on input ${i}, of shape [${inputs[i]!.shape.join(", ")}]`);
  });
}

function withRecording<T>(enabled: boolean, body: () => T): T {
  checkKind("body", body, "a synchronous function", typeof body === "function");
  const before = native().setGradEnabled(enabled);
  try {
    const result = body();
    if (result instanceof Promise) {
      result.catch(() => {}); // nobody can wait for it any more: its own failure must not end the process
      throw new TypeError("noGrad and enableGrad take a synchronous function, not one that returns a Promise");
    }
    return result;
  } finally {
    native().setGradEnabled(before);
  }
}

/** Runs a synchronous function without recording for gradients. */
export function noGrad<T>(body: () => T): T {
  return withRecording(false, body);
}

/** Runs a synchronous function with recording for gradients, also inside `noGrad`. */
export function enableGrad<T>(body: () => T): T {
  return withRecording(true, body);
}
