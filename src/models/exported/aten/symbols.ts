import type { Tensor } from "../../../engine/index.js";
import type { Pt2Argument, Pt2Node } from "../../../files/index.js";
import type { GraphNode, GraphValue } from "../graph.js";
import { slotsOf } from "./arguments.js";

/** Arithmetic of sizes, by the names that Python gives it. */
const arithmetic: Readonly<Record<string, (a: number, b: number) => number | boolean>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  floordiv: (a, b) => Math.floor(a / b),
  truediv: (a, b) => a / b,
  mod: (a, b) => a - b * Math.floor(a / b),
  pow: (a, b) => a ** b,
  neg: (a) => -a,
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
  and_: (a, b) => Boolean(a) && Boolean(b),
  or_: (a, b) => Boolean(a) || Boolean(b),
  sym_max: (a, b) => Math.max(a, b),
  sym_min: (a, b) => Math.min(a, b),
  sym_float: (a) => a,
  sym_not: (a) => !a,
  trunc: (a) => Math.trunc(a),
  ceil: (a) => Math.ceil(a),
  floor: (a) => Math.floor(a),
};

/** Output of a node of numbers; null where it is a boolean, which assertions alone read. */
function outputOf([output]: readonly Pt2Argument[]): string | null {
  if (output?.kind === "number" && typeof output.value === "object") return output.value.symbol;
  return null;
}

/** Node that computes sizes; undefined for other targets. */
export function lowerSymbol({ name, target, inputs, outputs }: Pt2Node): GraphNode | undefined {
  const [, operator] = /^(?:_operator|math|torch|torch\.sym_ops)\.(\w+)$/.exec(target) ?? [];
  const compute =
    operator !== undefined && Object.hasOwn(arithmetic, operator) ? arithmetic[operator] : undefined;
  const ofTensor = /^torch\.ops\.aten\.sym_(size\.int|numel\.default)$/.test(target);
  if (compute === undefined && !ofTensor) return undefined;
  const parts = { name, operator: target, outputs: [outputOf(outputs)], shapeOnly: true };
  const given = new Map(inputs.map((input, i) => [String(i), input.value]));
  const parameters = inputs.map((_, i) => ({ name: String(i), type: "any", written: false }));
  const slots = slotsOf(parameters, given);
  const made = (result: (args: unknown[]) => GraphValue): GraphNode => ({
    ...parts,
    inputs: slots.inputs,
    run: (values, context) => [result(slots.make(values, context))],
  });
  if (target === "torch.ops.aten.sym_size.int") {
    return made(([tensor, axis]) => {
      const { shape } = tensor as Tensor;
      const size = shape.at(axis as number);
      if (size === undefined) throw new RangeError(`there is no axis ${axis} of ${shape.length}`);
      return size;
    });
  }
  if (target === "torch.ops.aten.sym_numel.default") return made(([tensor]) => (tensor as Tensor).size);
  return made((args) => {
    const [a, b] = args.map(Number) as [number, number];
    const value = compute!(a, b ?? 0);
    if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError(`a size of ${value}`);
    return value;
  });
}
