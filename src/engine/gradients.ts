import { checkKind, TensorError } from "../base/index.js";
import { type Handle, native } from "./native.js";
import { Tensor } from "./tensor.js";

/** Says of the arguments what went wrong in libtorch. */
function ownError(error: unknown, output: Tensor, inputs: readonly Tensor[]): unknown {
  if (!(error instanceof TensorError)) return error;
  const refuse = (problem: string) => new RangeError(`grad: ${problem}`, { cause: error });
  if (!output.requiresGrad) {
    return refuse(
      "the output does not require grad: it was made of no tensor with requireGrad(), under noGrad, or of " +
        "a detached one",
    );
  }
  const constant = inputs.findIndex((input) => !input.requiresGrad);
  if (constant >= 0) {
    return refuse(
      `input ${constant} does not require grad: call requireGrad() before the output is computed from it`,
    );
  }
  if (!error.message.includes("through the graph a second time")) return error;
  return refuse("the output's graph was freed by an earlier grad: give that keepGraph: true");
}

/**
 * Gradients of a scalar with respect to chosen tensors only; nothing is left on any other tensor.
 *
 * The graph is freed unless `keepGraph`. An input that the output does not depend on is an error, or has a
 * gradient of zeros where `unused` is `"zeros"`.
 */
export function grad(
  output: Tensor,
  inputs: readonly Tensor[],
  options: { keepGraph?: boolean; createGraph?: boolean; unused?: "error" | "zeros" } = {},
): Tensor[] {
  checkKind("output", output, "a tensor", output instanceof Tensor);
  const listed = Array.isArray(inputs) && inputs.every((input) => input instanceof Tensor);
  checkKind("inputs", inputs, "a list of tensors", listed);
  if (inputs.length === 0) throw new RangeError("inputs must hold at least one tensor, not none");
  if (output.size !== 1)
    throw new RangeError(`grad takes a scalar output, not one of shape [${output.shape.join(", ")}]`);
  const { createGraph = false, keepGraph = createGraph, unused = "error" } = options;
  if (unused === "zeros" && !output.requiresGrad) return inputs.map((input) => input.zerosLike());
  const given = inputs.map((input) => input.handle);
  let handles: (Handle | null)[];
  try {
    handles = native().grad([output.handle], given, null, keepGraph, createGraph);
  } catch (error) {
    throw ownError(error, output, inputs);
  }
  return handles.map((handle, i) => {
    if (handle !== null) return new Tensor(handle);
    if (unused === "zeros") return inputs[i]!.zerosLike();
    throw new RangeError(
      `the output does not depend on input ${i}, of shape [${inputs[i]!.shape.join(", ")}]`,
    );
  });
}

function withRecording<T>(enabled: boolean, body: () => T): T {
  checkKind("body", body, "a synchronous function", typeof body === "function");
  const before = native().setGradEnabled(enabled);
  try {
    const result = body();
    if (result instanceof Promise) {
      result.catch(() => {}); // nobody can wait for it any more: its own failure must not end the process
      throw new TypeError(
        "noGrad and enableGrad take a synchronous function, not one that returns a Promise",
      );
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
