import * as z from "zod";
import { sizeOf } from "../base/index.js";
import { noGrad, scope, type Tensor, uniform, weightedDraws } from "../engine/index.js";
import { attribute, Module, type OnnxEdge, type OnnxSketch, type Pass } from "../nn/index.js";
import { ratio } from "../options/index.js";
import { defineDefense } from "./defense.js";
import { reluLayers } from "./layer-names.js";

/** Smallest divisor: of an activation without any element above 0. */
const tiny = 1e-30;

/**
 * Stochastic activation pruning (Dhillon et al. 2018, section 3, Algorithm 1). Of the d elements of an
 * image's activation a, r are drawn with replacement, element i with probability p_i = |a_i| / sum |a|. An
 * element that was drawn becomes a_i / (1 - (1 - p_i)^r), the others 0: so the mean over draws is a.
 *
 * The gradient is that of the elements kept, the factors held constant. A pass that names a gradient has the
 * identity's.
 */
// paper: the gradient through p_i is left out, as through the mask of a dropout.
class PrunedActivation extends Module {
  constructor(
    readonly samples: number,
    readonly inTraining: boolean,
  ) {
    super();
  }

  override get randomized(): boolean {
    return true;
  }

  override get differsInTraining(): boolean {
    return !this.inTraining;
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    if (pass.noiseFree || (pass.training && !this.inTraining)) return input;
    const factors = noGrad(() => scope(() => this.#factors(input.detach(), pass)));
    const pruned = input.mul(factors);
    if (pass.quantizerGradient === undefined) return pruned;
    return pruned.detach().add(input.sub(input.detach()));
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    return sketch.noiseFree ? input : onnxPruned(input, this.#drawsOf(input.shape), sketch);
  }

  /** Draws from activations of a shape. */
  #drawsOf(shape: readonly number[]): number {
    const elements = sizeOf(shape);
    return Math.max(1, Math.round(this.samples * elements));
  }

  /** Factor of each element: 0, or the inverse of its chance to be drawn. */
  #factors(input: Tensor, { noise }: Pass): Tensor {
    const sizes = input.abs().flatten(1);
    const draws = this.#drawsOf(input.shape.slice(1));
    const drawn = weightedDraws(sizes, uniform(noise, [draws], this.noiseStream));
    // In float64, and as -expm1(r * log1p(-p)): a wide layer's chances lie below float32's steps near 1.
    const exact = sizes.to("float64");
    const chance = exact.div(exact.sumDim([1], true).clamp(tiny));
    const keep = chance.neg().log1p().mul(draws).expm1().neg().clamp(tiny);
    return drawn.to("float64").div(keep).to(input.dtype).reshape(input.shape);
  }
}

/**
 * Adds the pruning of activations to a graph in ONNX's operators: `Multinomial` draws the elements, and the
 * inverse of their chances is computed in float64, as above.
 */
function onnxPruned(input: OnnxEdge, draws: number, sketch: OnnxSketch): OnnxEdge {
  const node = (operator: string, ...inputs: (OnnxEdge | string)[]) => sketch.node(operator, inputs);
  const alongRow = { axis: attribute.int(1) };
  const elements = sizeOf(input.shape);
  const sizes = sketch.node("Flatten", [node("Abs", input)], alongRow, [elements]);
  const logarithms = node("Log", node("Max", sizes, sketch.constant(tiny)));
  const choice = { sample_size: attribute.int(draws), dtype: attribute.int(7) };
  const drawn = sketch.node("Multinomial", [logarithms], choice, [draws]);
  const none = node("Expand", sketch.constant(0), node("Shape", sizes));
  const once = node("Expand", sketch.constant(1), node("Shape", drawn));
  const counted = { ...alongRow, reduction: attribute.text("add") };
  const counts = sketch.node("ScatterElements", [none, drawn, once], counted, [elements]);

  const exact = (value: number) => sketch.constant(value, [], "float64");
  const wide = sketch.cast(sizes, "float64");
  const total = sketch.node("ReduceSum", [wide, sketch.whole([1])], {}, [1]);
  const chance = sketch.node("Div", [wide, node("Max", total, exact(tiny))]);
  const passedOver = node("Pow", node("Sub", exact(1), chance), exact(draws));
  const keep = node("Max", node("Sub", exact(1), passedOver), chance, exact(tiny));
  const scale = sketch.cast(node("Div", exact(1), keep), "float32");
  const isKept = node("Greater", counts, sketch.constant(0));
  const factors = node("Where", isKept, scale, sketch.constant(0));
  const shape = sketch.whole([0, ...input.shape]);
  return sketch.node("Mul", [input, sketch.node("Reshape", [factors, shape], {}, input.shape)]);
}

/**
 * Stochastic activation pruning after every ReLU (Dhillon et al. 2018): keeps large activations more often
 * than small ones, and scales up what it keeps. Its mean is the model without it.
 *
 * Athalye et al. (2018) left 0 % on their own form of it, with gradients averaged over draws. Dhillon and
 * Carlini (2020) left 0.1 % on the original, by another gradient in the backward pass.
 *
 * @example
 * sap({ samples: 0.5 })
 */
export const sap = defineDefense("sap", {
  summary: "stochastic activation pruning: draws activations by their size after every ReLU",
  options: z.strictObject({
    layers: z.string().default("**").describe("ReLU layers that it follows: a name, or a pattern with *"),
    samples: ratio({ above: 0, max: 100 })
      .default(1)
      .describe("draws from an activation, as a share of its elements"),
    training: z.boolean().default(false).describe("prune in training too; published on trained models"),
  }),
  create: ({ layers, samples, training }) => ({
    randomized: true,
    advice: "average gradients over draws, and take those of the identity and of the unpruned model as well",
    apply(model) {
      for (const relu of reluLayers(model.module, layers))
        relu.outputTransforms.push(new PrunedActivation(samples, training));
    },
    surrogates: (model) => ({
      "noise-free": model.classifier({ noiseFree: true }),
      "straight-through": model.classifier({ quantizerGradient: "straight-through" }),
    }),
  }),
});
