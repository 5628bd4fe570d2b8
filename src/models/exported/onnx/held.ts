import type { OnnxElements, OnnxFile, OnnxModel, OnnxNode } from "../../../files/index.js";

/** Tensors that a file holds, by name, and the nodes that are left without those that only give them. */
export interface Held {
  readonly model: OnnxModel;
  readonly constants: ReadonlyMap<string, OnnxElements>;
}

/** Gathers a file's tensors: weights, and values of `Constant` nodes. */
export function heldTensors(source: OnnxFile): Held {
  const { graph } = source.model;
  const constants = new Map<string, OnnxElements>();
  for (const tensor of graph.initializers) constants.set(tensor.name, source.elements(tensor));
  const nodes = graph.nodes.filter((node) => {
    const value = node.operator === "Constant" ? node.attributes.get("value") : undefined;
    const [output] = node.outputs;
    if (value?.kind !== "tensor" || output === undefined || constants.has(output)) return true;
    constants.set(output, source.elements(value.value));
    return false;
  });
  return { model: { ...source.model, graph: { ...graph, nodes } }, constants };
}

/** Shape whose first side is whatever is left, in place of a multiple of the batch. */
function freed(shape: readonly bigint[], batch: number, zeroCopies: boolean): bigint[] | undefined {
  const [first, ...rest] = shape;
  if (first === undefined || first < 1n || first % BigInt(batch) !== 0n) return undefined;
  if (rest.every((side) => side > 0n)) return [-1n, ...rest];
  // With a side that is computed already, the first can only be that of the input.
  const isCopy = first === BigInt(batch) && zeroCopies;
  return isCopy ? [0n, ...rest] : undefined;
}

/**
 * The same tensors, where shapes that a file fixes for so many images are those of any number: exporters
 * write the batch into the shapes of `Reshape`. For that many images nothing changes.
 */
export function withFreeBatch({ model, constants }: Held, batch: number): Map<string, OnnxElements> {
  const changed = new Map(constants);
  const { nodes } = model.graph;
  const isShape = ({ operator, inputs }: OnnxNode, name: string) =>
    operator === "Reshape" && inputs[1] === name && inputs[0] !== name;
  const readersOf = new Map<string, OnnxNode[]>();
  for (const node of nodes)
    for (const name of new Set(node.inputs)) {
      const readers = readersOf.get(name);
      if (readers === undefined) readersOf.set(name, [node]);
      else readers.push(node);
    }
  for (const [name, elements] of constants) {
    if (!(elements.data instanceof BigInt64Array) || elements.shape.length !== 1) continue;
    const readers = readersOf.get(name) ?? [];
    if (readers.length === 0 || !readers.every((node) => isShape(node, name))) continue;
    const zeroCopies = readers.every(({ attributes }) => attributes.get("allowzero")?.value !== 1);
    const shape = freed([...elements.data], batch, zeroCopies);
    if (shape !== undefined) changed.set(name, { ...elements, data: BigInt64Array.from(shape) });
  }
  return changed;
}
