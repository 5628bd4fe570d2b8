import { type call, operators, scalarType, Tensor } from "../../../engine/index.js";
import type { Pt2Argument, Pt2Size } from "../../../files/index.js";
import type { GraphValue, NodeContext } from "../graph.js";
import type { Parameter } from "./schema.js";

/** Argument of a call. */
export type Argument = Parameters<typeof call>[1][number];

/** Argument before its graph runs: a constant, or a function of the node's inputs. */
type Slot = (inputs: readonly GraphValue[], context: NodeContext) => Argument;

/** Arguments of a node, with the names of the values that they are made of. */
export interface Slots {
  readonly inputs: readonly string[];
  /** Arguments in the order of the schema. */
  make(inputs: readonly GraphValue[], context: NodeContext): Argument[];
}

/** Number of a Scalar argument where a tensor is due: a tensor without axes, as PyTorch makes it. */
function asTensor(value: Argument, context: NodeContext, isFloat: boolean): Argument {
  if (typeof value === "boolean") return operators.full([], Number(value), "bool", context.device);
  if (typeof value !== "number") return value;
  return operators.full([], value, isFloat || !Number.isInteger(value) ? "float32" : "int64", context.device);
}

/** TypeError for arguments that no operator here takes. */
function refused(name: string, of: string): TypeError {
  return new TypeError(`its argument "${name}" is of kind ${of}, which no operator here takes`);
}

/** Reads arguments of nodes as values of an operator's parameters. */
class SlotMaker {
  readonly inputs: string[] = [];

  /** Slot of a value that the graph computes. */
  value(name: string): Slot {
    const at = this.inputs.push(name) - 1;
    return (inputs) => inputs[at]!;
  }

  size(size: Pt2Size): Slot {
    return typeof size === "number" ? () => size : this.value(size.symbol);
  }

  list(slots: readonly Slot[]): Slot {
    return (inputs, context) => slots.map((slot) => slot(inputs, context)) as Argument;
  }

  of({ name, type }: Parameter, given: Pt2Argument | undefined): Slot {
    if (given === undefined) return () => undefined;
    switch (given.kind) {
      case "none":
        return () => null;
      case "tensor":
        return this.value(given.name);
      case "tensors":
        return this.list(given.names.map((item) => (item === null ? () => null : this.value(item))));
      case "number": {
        const slot = this.size(given.value);
        if (!/^Tensor\??$/.test(type)) return slot;
        return (inputs, context) => asTensor(slot(inputs, context), context, given.isFloat);
      }
      case "numbers":
        return this.list(given.values.map((value) => this.size(value)));
      case "bool":
        if (type !== "Tensor") return () => given.value;
        return (_, context) => asTensor(given.value, context, false);
      case "bools":
        return () => given.values as Argument;
      case "text":
      case "memory-format":
        return () => given.value;
      case "type":
        return () => scalarType(given.value);
      case "device":
        return (_, { device }) => device;
      case "layout":
        return () => undefined;
      case "other":
        throw refused(name, given.of);
    }
  }
}

/** Slots of a node's arguments, given by the names of parameters. */
export function slotsOf(parameters: readonly Parameter[], given: ReadonlyMap<string, Pt2Argument>): Slots {
  const maker = new SlotMaker();
  const slots = parameters.map((parameter) => maker.of(parameter, given.get(parameter.name)));
  return {
    inputs: maker.inputs,
    make: (inputs, context) => slots.map((slot) => slot(inputs, context)),
  };
}

/** Tells whether a value is a tensor of whole numbers or booleans. */
export function isWhole(value: unknown): value is Tensor {
  return value instanceof Tensor && !/float/.test(value.dtype);
}
