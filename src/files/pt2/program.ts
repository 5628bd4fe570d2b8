import type { DType } from "../../engine/index.js";
import { argumentAt, type Pt2Argument, type Pt2Size, sizeAt, tensorNameAt } from "./arguments.js";
import { elementTypeAt } from "./element-types.js";
import { choiceAt, countAt, listAt, nameAt, objectAt, Pt2Problem } from "./fields.js";

/** Node of a program's graph. */
export interface Pt2Node {
  readonly name: string;
  /** Operator in full, such as `torch.ops.aten.conv2d.default`. */
  readonly target: string;
  readonly inputs: readonly { readonly name: string; readonly value: Pt2Argument }[];
  readonly outputs: readonly Pt2Argument[];
}

/** Input of a graph. */
export interface Pt2Input {
  /** Name of the value in the graph. */
  readonly value: Pt2Argument;
  readonly kind: "parameter" | "buffer" | "constant" | "user" | "other";
  /** Name in the model that was exported; empty for a user's input. */
  readonly target: string;
  /** Kind in the file's own words. */
  readonly written: string;
}

/** Output of a graph. */
export interface Pt2Output {
  readonly kind: string;
  readonly value: Pt2Argument;
}

/** Form of a value that a program states. */
export interface Pt2Form {
  readonly type: DType;
  readonly sizes: readonly Pt2Size[];
}

/** Program of a .pt2 file, as plain checked data. */
export interface Pt2Program {
  readonly schema: readonly [major: number, minor: number];
  /** Version of PyTorch that wrote it; empty where it is not said. */
  readonly torch: string;
  readonly inputs: readonly Pt2Input[];
  readonly outputs: readonly Pt2Output[];
  readonly nodes: readonly Pt2Node[];
  /** Bounds of symbols such as a free batch size. */
  readonly ranges: ReadonlyMap<string, { readonly least: number; readonly most: number }>;
  /** Form of a value as the file states it, which is not to be trusted; undefined where it does not. */
  formOf(value: string): Pt2Form | undefined;
}

const inputKinds: Readonly<Record<string, readonly [Pt2Input["kind"], field: string]>> = {
  parameter: ["parameter", "parameter_name"],
  buffer: ["buffer", "buffer_name"],
  tensor_constant: ["constant", "tensor_constant_name"],
};

function inputAt(value: unknown, place: string): Pt2Input {
  const [written, content] = choiceAt(value, place);
  const fields = objectAt(content, place);
  const known = Object.hasOwn(inputKinds, written) ? inputKinds[written] : undefined;
  if (known !== undefined) {
    const [kind, field] = known;
    const name = tensorNameAt(fields.arg, `${place}.arg`);
    return { written, kind, target: nameAt(fields[field], place), value: { kind: "tensor", name } };
  }
  const isUser = written === "user_input";
  const argument: Pt2Argument = isUser ? argumentAt(fields.arg, place) : { kind: "other", of: written };
  return { written, kind: isUser ? "user" : "other", target: "", value: argument };
}

function outputAt(value: unknown, place: string): Pt2Output {
  const [kind, content] = choiceAt(value, place);
  const { arg } = objectAt(content, place);
  return { kind, value: kind === "user_output" ? argumentAt(arg, place) : { kind: "other", of: kind } };
}

function nodeAt(value: unknown, place: string): Pt2Node {
  const { name, target, inputs, outputs } = objectAt(value, place);
  const named = `${place} (${typeof target === "string" ? target.slice(0, 100) : "without operator"})`;
  return {
    name: nameAt(name ?? "", `${place}.name`),
    target: nameAt(target, `${place}.target`),
    inputs: listAt(inputs, `${named}.inputs`, 1000).map((input, i) => {
      const at = `${named}.inputs[${i}]`;
      const fields = objectAt(input, at);
      return { name: nameAt(fields.name, at), value: argumentAt(fields.arg, at) };
    }),
    outputs: listAt(outputs, `${named}.outputs`).map((output, i) =>
      argumentAt(output, `${named}.outputs[${i}]`),
    ),
  };
}

function rangesAt(value: unknown): Pt2Program["ranges"] {
  const bound = (given: unknown, missing: number) => (typeof given === "number" ? given : missing);
  return new Map(
    Object.entries(objectAt(value ?? {}, "range_constraints")).map(([symbol, range]) => {
      const { min_val, max_val } = objectAt(range, `range_constraints.${symbol}`);
      return [symbol, { least: bound(min_val, 0), most: bound(max_val, Number.POSITIVE_INFINITY) }];
    }),
  );
}

/** Symbol, or number, of a size that an expression may say. */
function formSizeAt(value: unknown, place: string): Pt2Size {
  const [key, content] = choiceAt(value, place);
  if (key !== "as_expr") return sizeAt(value, place);
  return { symbol: nameAt(objectAt(content, place).expr_str, place) };
}

/** Reads the program of `models/NAME.json`, which only the archive's reader calls. */
export function programOf(json: unknown): Pt2Program {
  const { graph_module, schema_version, torch_version, range_constraints } = objectAt(json, "the program");
  const { graph: graphField, signature: signatureField } = objectAt(graph_module, "graph_module");
  const graph = objectAt(graphField, "graph");
  const signature = objectAt(signatureField, "signature");
  const { major, minor } = objectAt(schema_version, "schema_version");
  const values = objectAt(graph.tensor_values ?? {}, "graph.tensor_values");
  const inputs = listAt(signature.input_specs, "input_specs").map((spec, i) =>
    inputAt(spec, `input_specs[${i}]`),
  );
  if (listAt(graph.inputs, "graph.inputs").length !== inputs.length) {
    throw new Pt2Problem("graph.inputs and input_specs are not as many");
  }
  return {
    schema: [countAt(major, "schema_version.major"), countAt(minor, "schema_version.minor")],
    torch: typeof torch_version === "string" ? torch_version.slice(0, 60) : "",
    inputs,
    outputs: listAt(signature.output_specs, "output_specs").map((spec, i) =>
      outputAt(spec, `output_specs[${i}]`),
    ),
    nodes: listAt(graph.nodes, "graph.nodes").map((node, i) => nodeAt(node, `node ${i}`)),
    ranges: rangesAt(range_constraints),
    formOf(value) {
      if (!Object.hasOwn(values, value)) return undefined;
      const { dtype, sizes } = objectAt(values[value], `the value "${value}"`);
      return {
        type: elementTypeAt(dtype, `the value "${value}"`),
        sizes: listAt(sizes, `the value "${value}"`, 64).map((size) =>
          formSizeAt(size, `the value "${value}"`),
        ),
      };
    },
  };
}
