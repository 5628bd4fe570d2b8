import { shownName } from "../../../base/index.js";
import type { Tensor } from "../../../engine/index.js";
import { oneScore } from "../first-pass.js";
import type { Graph, GraphNode, GraphValue } from "../graph.js";
import type { Trial } from "./fold.js";

/** Nodes by the names of the values that they make. */
type Makers = ReadonlyMap<string, GraphNode>;

/** The value that holds scores of classes. */
export interface Scores {
  readonly name: string;
  readonly classes: number;
  /** Axes of its shape (N, classes, 1, ...). */
  readonly rank: number;
}

/** Looks up the node that makes each value: the first, where several make one. */
export function makersOf(nodes: readonly GraphNode[]): Makers {
  const made = new Map<string, GraphNode>();
  for (const node of nodes)
    for (const name of node.outputs) if (name !== null && !made.has(name)) made.set(name, node);
  return made;
}

/** Scores that the index of the largest is chosen of: an output is cut before its ArgMax. */
export function beforeChoice(makers: Makers, name: string): string {
  const maker = makers.get(name);
  return maker?.operator === "ArgMax" ? maker.inputs[0]! : name;
}

/** Tells whether a shape is (N, classes), with sides of 1 behind at most. */
function isOfScores(shape: readonly number[], images: number): boolean {
  return shape[0] === images && shape[1]! >= 2 && shape.slice(2).every((side) => side === 1);
}

/** The output that has logits: floats of shape (N, classes), with sides of 1 behind at most. */
export function logitsOf(
  { images, outputs }: Trial,
  kept: readonly string[],
  names: readonly string[],
  notes: string[],
): Scores {
  const found = kept.flatMap((name, i) => {
    const { shape, dtype } = outputs.get(name) ?? { shape: [], dtype: "" };
    return isOfScores(shape, images) && /float/.test(dtype)
      ? [{ name, classes: shape[1]!, rank: shape.length, said: names[i]! }]
      : [];
  });
  const [first] = found;
  if (first === undefined) {
    const shapes = kept.map((name) => `${shownName(name)} of [${outputs.get(name)?.shape.join(", ") ?? ""}]`);
    const isOneScore = [...outputs.values()].some(
      ({ size, dtype }) => size === images && /float/.test(dtype),
    );
    throw new RangeError(
      `none of its outputs has scores of classes, (N, classes): ${shapes.join(", ")}` +
        (isOneScore ? `; ${oneScore}` : ""),
    );
  }
  if (names.length > 1) notes.push(`of ${names.length} outputs "${shownName(first.said)}" is attacked`);
  if (first.name !== first.said) notes.push("the choice of the class at the end (ArgMax) is taken off");
  return first;
}

const arranging = ["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"];

/**
 * The same scores before the operators at the end that only arrange them, where a softmax lies before those:
 * the version converter of the onnx package writes one so.
 */
export function beforeArranging(scores: Scores, makers: Makers, { images, shapes }: Trial): Scores {
  let { name } = scores;
  for (let maker = makers.get(name); maker !== undefined; maker = makers.get(name)) {
    const shape = shapes.get(name) ?? [];
    if (maker.softmax === true && isOfScores(shape, images) && shape[1] === scores.classes) {
      return { ...scores, name, rank: shape.length };
    }
    if (!arranging.includes(maker.operator)) return scores;
    name = maker.inputs[0]!;
  }
  return scores;
}

/** The graph with its output as (N, classes): sides of 1 go before a last softmax, or at the end. */
export function flattened(graph: Graph, { classes, rank }: Scores): Graph {
  if (rank === 2) return graph;
  const flat = (value: GraphValue) => (value as Tensor).reshape([-1, classes]);
  const flatten = (input: string): GraphNode => ({
    name: `${input} as logits`,
    operator: "Flatten",
    inputs: [input],
    outputs: [`${input} as logits`],
    run: ([scores]) => [flat(scores!)],
  });
  const last = graph.nodes.find(({ outputs }) => outputs.includes(graph.output));
  const isRead = graph.nodes.some(({ inputs }) => inputs.includes(graph.output));
  if (last?.softmax !== true || isRead) {
    const end = flatten(graph.output);
    return { ...graph, output: end.name, nodes: [...graph.nodes, end] };
  }
  const before = flatten(last.inputs[0]!);
  const sides = [-1, classes, ...Array<number>(rank - 2).fill(1)];
  const softmax: GraphNode = {
    ...last,
    inputs: [before.name],
    run: ([scores], context) => [flat(last.run([(scores as Tensor).reshape(sides)], context)[0]!)],
  };
  return { ...graph, nodes: [...graph.nodes.filter((node) => node !== last), before, softmax] };
}
