import { countText, FileFormatError, shownName } from "../../../base/index.js";
import { scope, Tensor } from "../../../engine/index.js";
import type { OnnxModel, OnnxNode } from "../../../files/index.js";
import type { GraphNode, GraphValue } from "../graph.js";
import { namesOnce } from "../names-once.js";
import { microsoftOperators } from "./microsoft/all.js";
import {
  type Inputs,
  type NodeTraits,
  NodeView,
  type NodeWorld,
  type OnnxOperator,
  type OnnxOperators,
} from "./node.js";
import { onnxOperators } from "./operators/all.js";

/** Operator set versions that are read; the trials of the operators' tests are of these. */
const [leastOpset, mostOpset] = [13, 21];

const wayOut =
  "export it anew (torch.onnx.export(model, images, FILE, opset_version=20)), or save it as .pt2 by " +
  "torch.export.save";

const conversion = "convert it (onnx.version_converter.convert_version(onnx.load(FILE), 17))";

const otherLevel =
  "they are of one kind of processor: give the model as it was before ONNX Runtime's optimizations, or " +
  "optimize it by ORT_ENABLE_EXTENDED";

/** Version of ONNX's own operators. Refuses one that is not read here. */
export function opsetOf({ opsets }: OnnxModel, file: string): number {
  const opset = opsets.get("");
  if (opset !== undefined && opset >= leastOpset && opset <= mostOpset) return opset;
  const shown = opset === undefined ? "no operator set of ONNX" : `operator set ${opset}`;
  const converted = opset !== undefined && opset < leastOpset ? `${conversion}, or ` : "";
  throw new FileFormatError(
    `${file}: it uses ${shown}; ${leastOpset} to ${mostOpset} are read: ${converted}${wayOut}`,
  );
}

/** Operators by their domains. */
const domains: ReadonlyMap<string, OnnxOperators> = new Map([
  ["", onnxOperators],
  ["com.microsoft", microsoftOperators],
]);

function operatorOf({ domain, operator }: OnnxNode): OnnxOperator | undefined {
  const known = domains.get(domain) ?? {};
  return Object.hasOwn(known, operator) ? known[operator] : undefined;
}

function problemOf(node: OnnxNode): string | undefined {
  const { domain, operator, inputs, attributes } = node;
  const name = domain === "" ? operator : `${domain}.${operator}`;
  const known = operatorOf(node);
  if (known === undefined) return shownName(name);
  const other = [...attributes].find(([, { kind }]) => kind === "other");
  if (other !== undefined) return `${name} with the attribute ${shownName(other[0])}`;
  const [least, most] = known.inputs;
  const fits =
    inputs.length <= most && inputs.slice(0, least).filter((input) => input !== "").length === least;
  return fits ? undefined : `${name} with ${countText(inputs.length, "input")}`;
}

/** Throws a FileFormatError that lists everything in a graph that is not known here, unless all is. */
export function checkNodes({ graph }: OnnxModel, file: string): void {
  const counts = new Map<string, number>();
  for (const node of graph.nodes) {
    const problem = problemOf(node);
    if (problem !== undefined) counts.set(problem, (counts.get(problem) ?? 0) + 1);
  }
  if (counts.size === 0) return;
  const listed = [...counts]
    .slice(0, 30)
    .map(([name, count]) => (count === 1 ? name : `${name} (${count} times)`));
  const more = counts.size > 30 ? ` and ${counts.size - 30} more` : "";
  const isLaidOut = graph.nodes.some(({ domain }) => domain === "com.microsoft.nchwc");
  throw new FileFormatError(
    `${file}: these operators are not known here: ${listed.join(", ")}${more}; ` +
      (isLaidOut ? otherLevel : wayOut),
  );
}

/** Names of nodes, each once: that of the file, or that of its first output. */
function namesOf(nodes: readonly OnnxNode[]): string[] {
  const names = nodes.map(
    ({ name, operator, outputs }) => name || outputs.find((output) => output !== "") || operator,
  );
  return namesOnce(names, "#", 2);
}

/** A graph's nodes, with their work as functions of values. */
export function graphNodes(model: OnnxModel, world: NodeWorld): { node: GraphNode; view: NodeView }[] {
  const names = namesOf(model.graph.nodes);
  return model.graph.nodes.map((own, i) => {
    const view = new NodeView(own, world);
    return { node: graphNode(names[i]!, view, operatorOf(own)!), view };
  });
}

function graphNode(name: string, view: NodeView, { run, traits }: OnnxOperator): GraphNode {
  const { operator, inputs, outputs } = view.node;
  const given = inputs.flatMap((input, i) => (input === "" ? [] : [i]));
  const placed = (values: readonly GraphValue[]): Inputs => {
    const all: (Tensor | undefined)[] = inputs.map(() => undefined);
    for (const [k, i] of given.entries()) all[i] = tensorOf(view, values[k]);
    return all;
  };
  const { standIn, ...others }: NodeTraits = typeof traits === "function" ? traits(view) : traits;
  return {
    name,
    operator,
    inputs: given.map((i) => inputs[i]!),
    outputs: outputs.map((output) => (output === "" ? null : output)),
    run: (values, context) => scope(() => run(view, placed(values), context)),
    // Without one of its own, a node's stand-in is its work on the values that stand in for its inputs.
    standIn: (values, context) =>
      scope(() => {
        const all = placed(values);
        if (standIn === "first") return all[0]!.to("float32");
        return standIn === undefined ? run(view, all, context)[0]! : standIn(view, all);
      }),
    ...others,
  };
}

function tensorOf(view: NodeView, value: GraphValue | undefined): Tensor {
  if (value instanceof Tensor) return value;
  throw view.refuse("an input of it is missing");
}
