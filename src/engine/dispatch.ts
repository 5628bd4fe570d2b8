import { checkOperator } from "./device/host-access.js";
import { type Handle, type NativeArgument, type NativeResult, native } from "./native.js";
import type { Tensor } from "./tensor.js";

/** An operator of libtorch by name and overload; looked up at its first call. */
export interface Operator {
  readonly name: string;
  readonly overload: string;
  index: number;
}

type Argument =
  | Tensor
  | number
  | boolean
  | string
  | null
  | undefined
  | readonly (Tensor | number | boolean | null)[];

let wrap: (handle: Handle) => Tensor;

/**
 * Tells the dispatcher how a native handle becomes a Tensor; called once by tensor.ts, which depends on this
 * file.
 */
export function setTensorWrapper(wrapper: (handle: Handle) => Tensor): void {
  wrap = wrapper;
}

/** Declares an operator for `call`. */
export function operator(name: string, overload: string): Operator {
  return { name, overload, index: -1 };
}

/** The schema of an operator in the loaded libtorch, as libtorch prints it. */
export function schemaOf(op: Operator): string {
  if (op.index < 0) op.index = native().findOperator(op.name, op.overload);
  return native().schema(op.index);
}

function isTensor(value: Argument): value is Tensor {
  return typeof value === "object" && value !== null && "handle" in value;
}

function lower(value: Argument): NativeArgument {
  if (isTensor(value)) return value.handle;
  return Array.isArray(value) ? lowerList(value) : (value as NativeArgument);
}

function lowerList(
  list: readonly (Tensor | number | boolean | null)[],
): readonly (Handle | number | boolean | null)[] {
  const lowered: (Handle | number | boolean | null)[] = [];
  // Up to the first that is missing: a list may claim four thousand million elements and have none.
  for (let i = 0; i < list.length; i++) {
    const item = list[i];
    if (item === undefined) throw new TypeError(`a list of ${list.length} elements has none at ${i}`);
    lowered.push(isTensor(item) ? item.handle : item);
  }
  return lowered;
}

function raise(result: NativeResult): unknown {
  if (Array.isArray(result)) return result.map(raise);
  if (typeof result === "object" && result !== null) return wrap(result as Handle);
  return result;
}

/** Calls an operator with arguments in the order of its schema; undefined takes the schema's default. */
export function call(op: Operator, args: readonly Argument[]): unknown {
  if (op.index < 0) op.index = native().findOperator(op.name, op.overload);
  checkOperator(op.name, args);
  const lowered = new Array<NativeArgument>(args.length);
  for (let i = 0; i < args.length; i++) lowered[i] = lower(args[i]);
  return raise(native().call(op.index, lowered));
}
