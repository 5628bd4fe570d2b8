import { call, type Tensor } from "../../../engine/index.js";
import type { Pt2Argument, Pt2Node } from "../../../files/index.js";
import type { GraphNode, GraphValue } from "../graph.js";
import { isAllowed } from "./allowed.js";
import { type Argument, isWhole, slotsOf } from "./arguments.js";
import { formOfCall } from "./forms.js";
import { guarded } from "./guards.js";
import { replacements } from "./replaced.js";
import { atenSchema, type Schema } from "./schema.js";
import { gradientOf } from "./stand-ins.js";

/** Operator of a node by its parts. */
export interface Target {
  readonly name: string;
  /** Empty for the default one. */
  readonly overload: string;
}

/** Node's arguments by name, without those that the operator in its place does not take. */
type Given = ReadonlyMap<string, Pt2Argument>;

/** Schema of the operator that a node calls, and its arguments by that operator's names. */
function calledBy(
  { name, overload }: Target,
  given: Given,
): { schema: Schema; name: string; given: Given } | undefined {
  const replacement = replacements.get(name);
  const called = replacement?.name ?? name;
  if (!isAllowed(called, overload)) return undefined;
  const switches = Object.entries(replacement?.switches ?? {}).map(
    ([key, value]) => [key, { kind: "bool", value }] as const,
  );
  const renamed = new Map<string, Pt2Argument>([
    ...switches,
    ...[...given].map(([key, value]) => [replacement?.renamed?.[key] ?? key, value] as const),
  ]);
  const schema = atenSchema(called, replacement === undefined ? overload : "");
  if (schema === undefined) return undefined;
  // A number where a tensor is due: the overload that takes numbers converts types as PyTorch does.
  const isNumber = schema.parameters.some(
    ({ name: key, type }) => type === "Tensor" && renamed.get(key)?.kind === "number",
  );
  const scalar = isNumber ? atenSchema(called, overload.replace("Tensor", "Scalar")) : undefined;
  return { schema: scalar ?? schema, name: called, given: renamed };
}

/** TypeError of a node that a model in training has. */
function trainingMode(operator: string, problem: string): TypeError {
  return new TypeError(
    `${operator}: ${problem}: the model was exported in training mode; call model.eval() first`,
  );
}

/** Refuses layers in training mode, and noise inside of operators. */
function checkMode(name: string, given: Given): void {
  const flag = (key: string) => {
    const value = given.get(key);
    return value?.kind === "bool" && value.value;
  };
  if (name === "batch_norm" && flag("training")) throw trainingMode(name, "it normalizes by the batch");
  const running = given.get("running_mean");
  if (name === "instance_norm" && flag("use_input_stats") && running?.kind === "tensor")
    throw trainingMode(name, "it updates running statistics");
  const drop = given.get("dropout_p");
  if (drop?.kind === "number" && drop.value !== 0)
    throw trainingMode(name, "it drops attention weights at random");
  if (name === "one_hot") {
    const classes = given.get("num_classes");
    if (classes?.kind !== "number" || classes.value === -1)
      throw new TypeError("one_hot: give num_classes, so that the shape does not depend on values");
  }
}

/** Arguments of factories whose type PyTorch takes from a Python float. */
const typedByNumber = new Set(["full", "arange", "scalar_tensor"]);

function withFloatType(name: string, given: Given): Given {
  const isFloat = [...given.values()].some((value) => value.kind === "number" && value.isFloat);
  const type = given.get("dtype");
  if (!typedByNumber.has(name) || !isFloat || (type !== undefined && type.kind !== "none")) return given;
  return new Map([...given, ["dtype", { kind: "type", value: "float32" }]]);
}

/** Names of the values of a node's outputs; null for those without. */
function outputNames(outputs: readonly Pt2Argument[]): (string | null)[] {
  return outputs.flatMap((output) => {
    if (output.kind === "tensor") return [output.name];
    if (output.kind === "tensors") return output.names;
    if (output.kind === "none") return [null];
    if (output.kind === "number" && typeof output.value === "object") return [output.value.symbol];
    throw new TypeError(`its output is of kind ${output.kind}, which is not read`);
  });
}

/** Node of a graph that a node with an ATen operator becomes; undefined for an unknown operator. */
export function lowerAten(
  node: Pt2Node,
  target: Target,
  typeOf: (value: string) => string | undefined,
): GraphNode | undefined {
  const called = calledBy(target, new Map(node.inputs.map(({ name, value }) => [name, value])));
  if (called === undefined) return undefined;
  const { schema, name } = called;
  const given = withFloatType(name, called.given);
  checkMode(name, given);
  const { parameters, operator } = schema;
  const slots = slotsOf(parameters, given);
  const isFloatNumber = parameters.some(({ name: key, type }) => {
    const value = given.get(key);
    return type === "Scalar" && value?.kind === "number" && value.isFloat && Number.isInteger(value.value);
  });
  const inPlace = parameters[0]?.written === true;
  const base = inPlace ? name.slice(0, -1) : name;
  const invoke = (of: Schema["operator"], made: Argument[]): readonly GraphValue[] => {
    // Numbers without fraction cross the border as whole ones, which a float of Python is not.
    const [self] = made;
    if (isFloatNumber && !inPlace && isWhole(self)) made[0] = self.to("float32");
    const { args, finish } = guarded(base, parameters, made);
    const result = call(of, args) as GraphValue | undefined | readonly GraphValue[];
    if (Array.isArray(result)) return result.flat();
    const value = result === undefined ? (self as Tensor) : (result as GraphValue);
    if (finish === undefined) return [value];
    const finished = finish(value as Tensor);
    if (!(inPlace && of === operator)) return [finished];
    (self as Tensor).copy_(finished);
    return [self as Tensor];
  };
  const role = gradientOf({
    name: base,
    overload: target.overload,
    type: castType(given, typeOf),
    run: (inputs, context) => invoke(operator, slots.make(inputs, context)),
    division: divisionOf(base, given, parameters),
  });
  const isReplaced = inPlace && role.gradient !== undefined;
  const pure = isReplaced ? atenSchema(base, schema.operator.overload) : undefined;
  return {
    name: node.name,
    operator: `aten.${target.name}`,
    inputs: slots.inputs,
    outputs: outputNames(node.outputs),
    run: (inputs, context) => invoke(pure?.operator ?? operator, slots.make(inputs, context)),
    ...(inPlace && role.gradient === undefined ? {} : role),
    ...(schema.shares === undefined ? {} : { shares: schema.shares }),
    ...(inPlace ? { writes: isReplaced && pure !== undefined ? "result" : "itself" } : {}),
    softmax: isSoftmax(base, given),
    form: formOfCall(base, given),
  };

  function divisionOf(of: string, args: Given, taken: Schema["parameters"]): GraphNode["run"] | undefined {
    const mode = args.get("rounding_mode");
    const isRounded = ["div", "divide"].includes(of) && mode?.kind === "text";
    if (of !== "floor_divide" && !isRounded) return undefined;
    const plain = atenSchema("div", /Scalar/.test(operator.overload) ? "Scalar" : "Tensor");
    return (inputs, context) =>
      invoke(plain!.operator, slots.make(inputs, context).slice(0, Math.min(2, taken.length)));
  }
}

/** Type that a cast converts to, as the node or the value that it follows says. */
function castType(given: Given, typeOf: (value: string) => string | undefined) {
  const type = given.get("dtype");
  if (type?.kind === "type") return type.value;
  const other = given.get("other");
  return (other?.kind === "tensor" ? typeOf(other.name) : undefined) as
    | Extract<Pt2Argument, { kind: "type" }>["value"]
    | undefined;
}

/** Tells a softmax, or its logarithm, over the last axis of two. */
function isSoftmax(name: string, given: Given): boolean {
  const dim = given.get("dim");
  const overClasses = dim?.kind === "number" && (dim.value === 1 || dim.value === -1);
  return /^_?(log_)?softmax$/.test(name) && overClasses;
}
