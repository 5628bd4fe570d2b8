import { call, dtypeOf, operator, Tensor } from "../../../engine/index.js";
import type { Pt2Argument, Pt2Node } from "../../../files/index.js";
import type { GraphNode, GraphValue, NodeContext } from "../graph.js";
import { bernoulliNoise, normalNoise, uniformNoise } from "../noise.js";
import { type Argument, slotsOf } from "./arguments.js";
import type { Target } from "./lower-node.js";
import { atenSchema, type Parameter } from "./schema.js";

/** Arguments of a random operator by name, with the place of its noise. */
interface Random {
  readonly given: Readonly<Record<string, Argument>>;
  readonly perImage: boolean;
  readonly context: NodeContext;
}

type Draw = (random: Random) => Tensor;

const argsort = operator("aten::argsort", "");
const numberOf = (value: Argument, missing: number) => (typeof value === "number" ? value : missing);
const termOf = (value: Argument, missing: number) =>
  value instanceof Tensor ? value : numberOf(value, missing);

/** Form of noise like a tensor. */
const like = ({ given, perImage }: Random) => ({ shape: (given.self as Tensor).shape, perImage });
const sized = ({ given, perImage }: Random) => ({ shape: given.size as readonly number[], perImage });
const between = (noise: Tensor, low: number, high: number) => noise.mul(high - low).add(low);
const whole = (noise: Tensor, { given }: Random) =>
  between(noise, numberOf(given.low, 0), numberOf(given.high, 1)).floor();

/** Form of normal noise: like a tensor, of a size, or of a mean and a deviation of each element. */
function normalForm(random: Random) {
  const { self, size, mean, std } = random.given;
  if (self instanceof Tensor) return like(random);
  if (Array.isArray(size)) return sized(random);
  const [one, other] = [mean, std].filter((value) => value instanceof Tensor);
  return { shape: (other === undefined ? one! : one!.add(other)).shape, perImage: random.perImage };
}

/** Probability of ones: a number, a tensor beside the one that is filled, or that tensor itself. */
const probability = ({ given }: Random) => given.p ?? given.self;

/** Dropout in training mode: elements, or whole channels, are kept by chance and scaled. */
function dropped(random: Random, input: Tensor, channels: boolean): Tensor {
  const p = numberOf(random.given.p, 0.5);
  if (p === 0 || random.context.noiseFree) return input.clone();
  if (p >= 1) return input.mul(0);
  const shape = channels ? input.shape.map((side, axis) => (axis < 2 ? side : 1)) : input.shape;
  const kept = bernoulliNoise({ shape, perImage: random.perImage }, 1 - p, random.context);
  return input.mul(kept.div(1 - p).to(input.dtype));
}

const normal: Draw = (random) => {
  const { mean, std } = random.given;
  const noise = normalNoise(normalForm(random), random.context);
  return noise.mul(termOf(std, 1)).add(termOf(mean, 0));
};

/** Random operators of ATen, by what each draws. */
const draws: Readonly<Record<string, Draw>> = {
  rand: (random) => uniformNoise(sized(random), random.context),
  rand_like: (random) => uniformNoise(like(random), random.context),
  randn: (random) => normalNoise(sized(random), random.context),
  randn_like: (random) => normalNoise(like(random), random.context),
  randint: (random) => whole(uniformNoise(sized(random), random.context), random),
  randint_like: (random) => whole(uniformNoise(like(random), random.context), random),
  randperm({ given, perImage, context }) {
    const noise = uniformNoise({ shape: [given.n as number], perImage }, context);
    return call(argsort, [noise]) as Tensor;
  },
  uniform: (random) => {
    const { from, to } = random.given;
    return between(uniformNoise(like(random), random.context), numberOf(from, 0), numberOf(to, 1));
  },
  normal,
  normal_functional: normal,
  bernoulli: (random) => bernoulliNoise(like(random), probability(random) as Tensor | number, random.context),
  dropout: (random) => dropped(random, random.given.input as Tensor, false),
  feature_dropout: (random) => dropped(random, random.given.input as Tensor, true),
};

/** Random operators whose noise is not drawn here. */
const undrawn = new Set(
  "multinomial poisson exponential geometric log_normal cauchy rrelu alpha_dropout".split(" "),
);

/** Tells whether an operator of the name draws noise: dropout and random slopes in training mode alone. */
function isRandom(name: string, inputs: Pt2Node["inputs"]): boolean {
  if (!/dropout$|^rrelu$/.test(name)) return Object.hasOwn(draws, name) || undrawn.has(name);
  const train = inputs.find((input) => /^train(ing)?$/.test(input.name))?.value;
  return train?.kind === "bool" && train.value;
}

/** Type of the result: as asked for, or like the tensor that it is like. */
function typed(made: Tensor, name: string, { given }: Random): Tensor {
  const code = given.dtype;
  if (typeof code === "number") return made.to(dtypeOf(code));
  const of = [given.self, given.input, given.mean, given.std].find((value) => value instanceof Tensor);
  if (of instanceof Tensor) return made.to(of.dtype);
  return name === "randint" ? made.to("int64") : made;
}

/**
 * Node of a graph that a random operator becomes, drawn from the noise of the pass; undefined for an operator
 * that is none.
 */
export function lowerRandom(
  node: Pt2Node,
  { name: written, overload }: Target,
  isPerImage: (value: string) => boolean,
): GraphNode | undefined {
  const inPlace = /[^_]_$/.test(written);
  const name = inPlace ? written.slice(0, -1) : written;
  if (!isRandom(name, node.inputs)) return undefined;
  const draw = Object.hasOwn(draws, name) ? draws[name] : undefined;
  const schema = atenSchema(written, overload);
  const [output] = node.outputs;
  if (draw === undefined || schema === undefined || output?.kind !== "tensor" || node.outputs.length > 1)
    throw new TypeError(
      `random operator ${written} is not drawn here: use rand_like, randn_like or bernoulli`,
    );
  const slots = slotsOf(schema.parameters, new Map(argumentsOf(node.inputs)));
  const perImage = isPerImage(output.name);
  const randomOf = (inputs: readonly GraphValue[], context: NodeContext): Random => {
    return { given: byName(schema.parameters, slots.make(inputs, context)), perImage, context };
  };
  const made = (random: Random) => typed(draw(random), name, random);
  const smooth = smoothOf(name, overload);
  const standIn =
    smooth && ((inputs: readonly GraphValue[], context: NodeContext) => smooth(randomOf(inputs, context)));
  return {
    name: node.name,
    operator: `aten.${written}`,
    inputs: slots.inputs,
    outputs: [output.name],
    // PyTorch has no gradient of what is drawn with respect to its distribution.
    run(inputs, context) {
      const drawn = made(randomOf(inputs, context));
      return [standIn === undefined ? drawn : drawn.detach()];
    },
    random: true,
    ...(/dropout|^bernoulli$/.test(name) || standIn ? {} : { shapeOnly: true }),
    ...(standIn && { gradient: "blocks" as const, standIn }),
    ...(inPlace ? { writes: "result" as const, shares: 0 } : {}),
  };
}

/** Smooth function of the tensors that a distribution is made of; undefined for one of numbers alone. */
function smoothOf(name: string, overload: string): Draw | undefined {
  if (name === "normal" && overload.includes("Tensor")) return normal;
  if (name !== "bernoulli" || overload === "p" || overload === "float") return undefined;
  return (random) => {
    const p = probability(random) as Tensor;
    return p.expand((random.given.self as Tensor).shape);
  };
}

const argumentsOf = (inputs: Pt2Node["inputs"]) =>
  inputs.map(({ name, value }): [string, Pt2Argument] => [name, value]);

function byName(parameters: readonly Parameter[], values: readonly Argument[]): Record<string, Argument> {
  return Object.fromEntries(parameters.map(({ name }, i) => [name, values[i]]));
}
