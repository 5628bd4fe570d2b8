import { sizeOf } from "../../../base/index.js";
import type { OnnxAttribute, OnnxFile, OnnxModel, OnnxNode } from "../../../files/index.js";

/** Numbers of the constants that say how a tensor is split, or which part is taken: so many at most. */
const mostNumbers = 4096;

type Constants = (name: string) => readonly number[] | undefined;

/** Small constants of a file by name: initializers, and values of `Constant` nodes. */
function smallConstants({ model, elements }: OnnxFile): Constants {
  const makers = new Map(
    model.graph.nodes.flatMap((node) => (node.operator === "Constant" ? [[node.outputs[0], node]] : [])),
  );
  const initializers = new Map(model.graph.initializers.map((tensor) => [tensor.name, tensor]));
  return (name) => {
    const attributes = makers.get(name)?.attributes;
    const value = attributes?.get("value");
    const tensor = initializers.get(name) ?? (value?.kind === "tensor" ? value.value : undefined);
    if (tensor === undefined) {
      const [one, several] = [attributes?.get("value_int"), attributes?.get("value_ints")];
      return one?.kind === "int" ? [one.value] : several?.kind === "ints" ? several.value : undefined;
    }
    const size = sizeOf(tensor.shape);
    if (size > mostNumbers || tensor.external !== undefined) return undefined;
    return Array.from(elements(tensor).data as ArrayLike<number | bigint>, Number);
  };
}

const intOf = ({ attributes }: OnnxNode, name: string, fallback: number) => {
  const found = attributes.get(name);
  return found?.kind === "int" ? found.value : fallback;
};

const ints = (value: readonly number[]): OnnxAttribute => ({ kind: "ints", value });

/** Nodes that cut so many elements out of an axis. */
function slice(x: string, axis: number, start: number, count: number, made: string): OnnxNode[] {
  const constants = Object.entries({ starts: start, ends: start + count, axes: axis }).map(
    ([word, value]) => ({
      ...plainNode("Constant", [], `${made} ${word}`),
      attributes: new Map([["value_ints", ints([value])]]),
    }),
  );
  return [...constants, plainNode("Slice", [x, ...constants.map(({ outputs }) => outputs[0]!)], made)];
}

function plainNode(operator: string, inputs: readonly string[], made: string): OnnxNode {
  return { name: made, operator, domain: "", inputs, outputs: [made], attributes: new Map() };
}

/** Nodes that make the part at a place of a split tensor; undefined where its bounds are not known. */
function partOf(split: OnnxNode, place: number, made: string, constants: Constants): OnnxNode[] | undefined {
  const [x = "", sizes = ""] = split.inputs;
  const axis = intOf(split, "axis", 0);
  if (sizes === "") {
    const keeps = intOf(split, "keepdims", 1) !== 0;
    const value: OnnxAttribute = keeps ? ints([place]) : { kind: "int", value: place };
    const index = {
      ...plainNode("Constant", [], `${made} place`),
      attributes: new Map([[keeps ? "value_ints" : "value_int", value]]),
    };
    const attributes = new Map<string, OnnxAttribute>([["axis", { kind: "int", value: axis }]]);
    return [index, { ...plainNode("Gather", [x, index.outputs[0]!], made), attributes }];
  }
  const given = constants(sizes);
  if (given === undefined || !given.every((one) => one > 0)) return undefined;
  if (given.length === 1) return place < 0 ? undefined : slice(x, axis, place * given[0]!, given[0]!, made);
  const at = place < 0 ? place + given.length : place;
  const attributes = new Map<string, OnnxAttribute>([["axis", { kind: "int", value: axis }]]);
  const outputs = given.map((_, i) => (i === at ? made : ""));
  return at in given ? [{ ...plainNode("Split", [x, sizes], made), outputs, attributes }] : undefined;
}

/**
 * The same model, in which parts of a tensor that are picked out of a sequence are cut out of the tensor:
 * exporters write `chunk` and `split` so. Other uses of sequences stay, and are refused with their names.
 */
export function withoutSequences(source: OnnxFile): OnnxModel {
  const { model } = source;
  const { nodes, outputs } = model.graph;
  const splits = new Map(
    nodes.flatMap((node) =>
      node.operator === "SplitToSequence" && node.domain === "" ? [[node.outputs[0] ?? "", node]] : [],
    ),
  );
  if (splits.size === 0) return model;
  const constants = smallConstants(source);
  const kept = new Set(outputs.map(({ name }) => name));
  const changed = nodes.flatMap((node) => {
    const [sequence = "", position = ""] = node.inputs;
    const split = node.operator === "SequenceAt" && node.domain === "" ? splits.get(sequence) : undefined;
    const [place, ...others] = (split && constants(position)) ?? [];
    const [made] = node.outputs;
    const isKnown = place !== undefined && others.length === 0 && made !== undefined;
    const parts = isKnown ? partOf(split!, place, made, constants) : undefined;
    if (parts === undefined) for (const name of node.inputs) kept.add(name);
    return parts ?? [node];
  });
  return {
    ...model,
    graph: { ...model.graph, nodes: changed.filter((node) => !isDropped(node, splits, kept)) },
  };
}

function isDropped(
  node: OnnxNode,
  splits: ReadonlyMap<string, OnnxNode>,
  kept: ReadonlySet<string>,
): boolean {
  const [made = ""] = node.outputs;
  return splits.get(made) === node && !kept.has(made);
}
