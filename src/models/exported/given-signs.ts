import { type Graph, type GraphNode, plainName } from "./graph.js";

const signs = new Set(["sign", "sgn"]);
const sizes = new Set(["abs", "absolute"]);
const products = new Set(["mul", "multiply"]);

/** Operators that make each element of those in its place alone, and have a gradient. */
const elementwise = new Set(
  (
    "relu sqrt rsqrt square pow exp expm1 log log1p log2 tanh sigmoid atan softplus reciprocal neg " +
    "negative add sub subtract rsub mul multiply div divide true_divide clamp clip clamp_min clamp_max " +
    "maximum minimum clone identity"
  ).split(" "),
);

/** Values that are made more than once, by operators in place: no single node tells what they are. */
function madeAgain(nodes: readonly GraphNode[]): Set<string> {
  const [once, again] = [new Set<string>(), new Set<string>()];
  for (const { outputs } of nodes) {
    for (const name of outputs) if (name !== null) (once.has(name) ? again : once).add(name);
  }
  return again;
}

/** Values that are sizes of others, such as `sqrt(abs(x))` of `x`, each element by itself. */
function sizesOf(nodes: readonly GraphNode[], ofImages: ReadonlySet<string>): Map<string, string> {
  const found = new Map<string, string>();
  const again = madeAgain(nodes);
  for (const node of nodes) {
    const [made] = node.outputs;
    const given = node.inputs.filter((name) => ofImages.has(name));
    const [first] = given;
    if (typeof made !== "string" || again.has(made) || first === undefined) continue;
    const name = plainName(node);
    const of = sizes.has(name) ? first : elementwise.has(name) ? found.get(first) : undefined;
    const isOfOne = sizes.has(name) || given.every((input) => found.get(input) === of);
    if (of !== undefined && isOfOne) found.set(made, of);
  }
  return found;
}

/**
 * Signs that are given back to a size of the same value: `sign(x) * f(abs(x))`, with f of each element by
 * itself, as in a signed root, a soft threshold or power pooling. The product's own gradient is exact almost
 * everywhere, so nothing stands in for the sign. Of `sign(x) * mean(abs(x))`, a binarized value with its
 * scale, nothing but the scale would be left, so that is not among them.
 *
 * @param ofImages values that depend on the images
 */
export function givenSigns({ nodes, output }: Graph, ofImages: ReadonlySet<string>): Set<GraphNode> {
  const readers = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    for (const name of node.inputs) {
      const known = readers.get(name);
      if (known === undefined) readers.set(name, [node]);
      else known.push(node);
    }
  }
  const sized = sizesOf(nodes, ofImages);
  const isGiven = (node: GraphNode): boolean => {
    const [of] = node.inputs;
    const [sign] = node.outputs;
    if (!signs.has(plainName(node)) || of === undefined || typeof sign !== "string") return false;
    const read = readers.get(sign) ?? [];
    const isBack = (reader: GraphNode) =>
      products.has(plainName(reader)) && reader.inputs.some((other) => sized.get(other) === of);
    return sign !== output && read.every(isBack);
  };
  return new Set(nodes.filter(isGiven));
}
