import { call, type Tensor } from "../../../engine/index.js";
import type { Pt2Argument, Pt2Form, Pt2Node } from "../../../files/index.js";
import type { GraphNode, GraphValue } from "../graph.js";
import { isAllowed } from "./allowed.js";
import { type Argument, isWhole, slotsOf } from "./arguments.js";
import { formOfCall } from "./forms.js";
import { guarded } from "./guards.js";
import { replacementOf } from "./replaced.js";
import { atenSchema, type Parameter, type Schema } from "./schema.js";
import { gradientOf } from "./stand-ins.js";

/** Operator of a node by its parts. */
export interface Target {
  readonly name: string;
  /** Empty for the default one. */
  readonly overload: string;
}

/** Node's arguments by name, without those that the operator in its place does not take. */
type Given = ReadonlyMap<string, Pt2Argument>;

/** Tells a Python float without fraction, which crosses the border to libtorch as a whole number. */
const isWholeFloat = (value: Pt2Argument | undefined): boolean =>
  value?.kind === "number" && value.isFloat && Number.isInteger(value.value);

/** Overloads that take tensors, where a float without fraction among numbers would make whole numbers. */
const ofTensors: ReadonlyMap<string, string> = new Map([
  ["where.Scalar", "self"],
  ["where.ScalarSelf", "self"],
  ["where.ScalarOther", "self"],
  ["pow.Scalar", "Tensor_Tensor"],
]);

/** Schema of the operator that a node calls, and its arguments by that operator's names. */
function calledBy(
  { name, overload }: Target,
  given: Given,
): { schema: Schema; name: string; given: Given } | undefined {
  const replacement = replacementOf(name, overload);
  const called = replacement?.name ?? name;
  const written = replacement?.overload ?? overload;
  if (!isAllowed(called, written)) return undefined;
  const switches = Object.entries(replacement?.switches ?? {}).map(
    ([key, value]) => [key, { kind: "bool", value }] as const,
  );
  const renamed = new Map<string, Pt2Argument>([
    ...switches,
    ...[...given].map(([key, value]) => [replacement?.renamed?.[key] ?? key, value] as const),
  ]);
  const hasWholeFloat = [...renamed.values()].some(isWholeFloat);
  const wide = hasWholeFloat ? ofTensors.get(`${called}.${written}`) : undefined;
  const schema = atenSchema(called, wide ?? written);
  if (schema === undefined) return undefined;
  const scalar = wide === undefined ? scalarSchema(called, written, schema, renamed) : undefined;
  return { schema: scalar ?? schema, name: called, given: renamed };
}

/** The overload that takes numbers where tensors are due, and so converts types as PyTorch does. */
function scalarSchema(name: string, overload: string, { parameters }: Schema, given: Given) {
  const isOf = (parameter: Parameter, kind: Pt2Argument["kind"]) =>
    parameter.type === "Tensor" && given.get(parameter.name)?.kind === kind;
  if (!parameters.some((parameter) => isOf(parameter, "number"))) return undefined;
  const schema = atenSchema(name, overload.replace("Tensor", "Scalar"));
  // A number may stand first, as in `sub.Tensor(1, x)`: no overload takes that.
  const fits = schema?.parameters.every((parameter) => {
    const kind = given.get(parameter.name)?.kind;
    return !(parameter.type === "Tensor"
      ? kind === "number"
      : kind === "tensor" && parameter.type === "Scalar");
  });
  return fits === true ? schema : undefined;
}

/** TypeError of a node that a model in training has. */
function trainingMode(operator: string, problem: string): TypeError {
  return new TypeError(
    `${operator}: ${problem}: the model was exported in training mode; call model.eval() first`,
  );
}

/** Refuses layers in training mode, and noise inside of operators. */
function checkMode(name: string, given: Given, formOf: (value: string) => Pt2Form | undefined): void {
  const flag = (key: string) => {
    const value = given.get(key);
    return value?.kind === "bool" && value.value;
  };
  const [input, running] = [given.get("input"), given.get("running_mean")];
  // Instance normalization is decomposed to this: all images are the channels of one.
  const isOfOne = input?.kind === "tensor" && formOf(input.name)?.sizes[0] === 1;
  const isOfInstances = running?.kind !== "tensor" && isOfOne;
  if (name === "batch_norm" && flag("training") && !isOfInstances)
    throw trainingMode(name, "it normalizes by the batch");
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

/** Operators whose result has the type of their first argument, whatever number stands beside it. */
const keepsType = new Set(["full_like", "new_full", "masked_fill", "fill", "constant_pad_nd", "scatter"]);

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
  formOf: (value: string) => Pt2Form | undefined,
): GraphNode | undefined {
  const called = calledBy(target, new Map(node.inputs.map(({ name, value }) => [name, value])));
  if (called === undefined) return undefined;
  const { schema, name } = called;
  const given = withFloatType(name, called.given);
  checkMode(name, given, formOf);
  const { parameters, operator } = schema;
  const slots = slotsOf(parameters, given);
  const inPlace = parameters[0]?.written === true;
  const base = inPlace ? name.slice(0, -1) : name;
  const isFloatNumber =
    !keepsType.has(base) &&
    parameters.some(({ name: key, type }) => type === "Scalar" && isWholeFloat(given.get(key)));
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
    type: castType(given, formOf),
    run: (inputs, context) => invoke(operator, slots.make(inputs, context)),
    argumentsOf: (inputs, context) => slots.make(inputs, context),
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
    form: formOfCall(base, given, (value) => formOf(value)?.sizes.length),
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
function castType(given: Given, formOf: (value: string) => Pt2Form | undefined) {
  const type = given.get("dtype");
  if (type?.kind === "type") return type.value;
  const other = given.get("other");
  return other?.kind === "tensor" ? formOf(other.name)?.type : undefined;
}

/** Tells a softmax, or its logarithm, over the last axis of two. */
function isSoftmax(name: string, given: Given): boolean {
  const dim = given.get("dim");
  const overClasses = dim?.kind === "number" && (dim.value === 1 || dim.value === -1);
  return /^_?(log_)?softmax$/.test(name) && overClasses;
}
