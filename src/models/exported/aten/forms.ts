import type { Pt2Argument } from "../../../files/index.js";
import type { NodeForm } from "../graph.js";

/** Number of axes of a value by its name. */
type Rank = (value: string) => number | undefined;

/** Arguments of an operator by name. */
class Given {
  constructor(readonly values: ReadonlyMap<string, Pt2Argument>) {}

  /** Name of a tensor; null where there is none. */
  tensor(name: string): string | null {
    const value = this.values.get(name);
    return value?.kind === "tensor" ? value.name : null;
  }

  /** A number, or what is left out; undefined for one that is computed. */
  number(name: string, fallback: number): number | undefined {
    const value = this.values.get(name);
    if (value === undefined) return fallback;
    return value.kind === "number" && typeof value.value === "number" ? value.value : undefined;
  }

  flag(name: string): boolean {
    const value = this.values.get(name);
    return value?.kind === "bool" && value.value;
  }

  /** Two numbers, of which one stands for both; undefined for others. */
  pair(name: string, fallback: number): readonly [number, number] | undefined {
    const value = this.values.get(name);
    if (value === undefined) return [fallback, fallback];
    if (value.kind !== "numbers") return undefined;
    const [first, second = first] = value.values;
    if (value.values.length > 2 || typeof first !== "number" || typeof second !== "number") return undefined;
    return [first, second];
  }
}

function convolution(given: Given): NodeForm | undefined {
  const [input, weight] = [given.tensor("input"), given.tensor("weight")];
  const [stride, padding, dilation] = [
    given.pair("stride", 1),
    given.pair("padding", 0),
    given.pair("dilation", 1),
  ];
  const isPlain = dilation?.join() === "1,1" && given.number("groups", 1) === 1 && !given.flag("transposed");
  if (input === null || weight === null || stride === undefined || padding === undefined || !isPlain)
    return undefined;
  return { kind: "layer", input, weight, bias: given.tensor("bias"), stride, padding };
}

function linear(given: Given): NodeForm | undefined {
  const [input, weight] = [given.tensor("input"), given.tensor("weight")];
  if (input === null || weight === null) return undefined;
  return { kind: "layer", input, weight, bias: given.tensor("bias"), stride: [1, 1], padding: [0, 0] };
}

/** Batch normalization of (N, C) or (N, C, H, W): the layer before it has the same channels then. */
function normalization(given: Given, rankOf: Rank): NodeForm | undefined {
  const [input, mean, variance] = [
    given.tensor("input"),
    given.tensor("running_mean"),
    given.tensor("running_var"),
  ];
  const epsilon = given.number("eps", 1e-5);
  if (input === null || mean === null || variance === null || epsilon === undefined) return undefined;
  if (![2, 4].includes(rankOf(input) ?? 0)) return undefined;
  const [weight, bias] = [given.tensor("weight"), given.tensor("bias")];
  return { kind: "normalization", input, weight, bias, mean, variance, epsilon };
}

function sum(given: Given): NodeForm | undefined {
  const [self, other] = [given.tensor("self"), given.tensor("other")];
  if (self === null || other === null || given.number("alpha", 1) !== 1) return undefined;
  return { kind: "sum", terms: [self, other] };
}

function relu(given: Given): NodeForm | undefined {
  const input = given.tensor("self");
  return input === null ? undefined : { kind: "relu", input };
}

const forms: ReadonlyMap<string, (given: Given, rankOf: Rank) => NodeForm | undefined> = new Map([
  ["conv2d", convolution],
  ["convolution", convolution],
  ["linear", linear],
  ["batch_norm", normalization],
  ["add", sum],
  ["relu", relu],
]);

/**
 * Meaning of a call of an ATen operator, in place or not, for passes that rewrite graphs.
 *
 * @param rankOf number of a value's axes; undefined where the file does not say
 */
export function formOfCall(
  name: string,
  given: ReadonlyMap<string, Pt2Argument>,
  rankOf: Rank,
): NodeForm | undefined {
  return forms.get(name)?.(new Given(given), rankOf);
}
