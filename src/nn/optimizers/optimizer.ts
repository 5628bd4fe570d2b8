import type * as z from "zod";
import { checkKind, checkNumber } from "../../base/index.js";
import { noGrad, operators as ops, scope, Tensor } from "../../engine/index.js";
import { type Factory, Kind, type Value } from "../../options/index.js";
import { distinct } from "../lists.js";

/** Changes parameters by their gradients; `state` holds what a checkpoint must keep. */
export interface OptimizerRun {
  /** One update with a learning rate; gradients in the order of the parameters. */
  step(gradients: readonly Tensor[], learningRate: number): void;
  /** Count of the numbers that differ from update to update. */
  readonly factorCount: number;
  /** Counts an update, and gives its numbers. */
  nextFactors(learningRate: number): number[];
  /**
   * The update itself, by its numbers as tensors without axes, of the parameters' dtype and on their device.
   */
  update(gradients: readonly Tensor[], factors: readonly Tensor[]): void;
  /** Tensors by name, in place: loading copies into them. */
  readonly state: ReadonlyMap<string, Tensor>;
  /** Updates made so far; set when a checkpoint is loaded. */
  steps: number;
}

export function buffers(parameters: ReadonlyMap<string, Tensor>, kind: string): Map<string, Tensor> {
  return new Map(
    [...parameters].map(([name, parameter]) => [
      `${kind}.${name}`,
      scope(() => parameter.detach().zerosLike()),
    ]),
  );
}

function checkParameters(parameters: ReadonlyMap<string, Tensor>): void {
  const fits =
    parameters instanceof Map && [...parameters.values()].every((value) => value instanceof Tensor);
  checkKind("parameters", parameters, "a Map such as module.parameters()", fits);
  if (parameters.size === 0)
    throw new RangeError("parameters must hold a tensor or more: there is nothing to train");
  const once = distinct(parameters);
  const twice = [...parameters.keys()].find((name) => !once.has(name));
  if (twice !== undefined)
    throw new RangeError(`parameters must hold each tensor once; "${twice}" is there by another name too`);
}

/** Rule of an optimizer, for parameters that it knows. */
export interface Rule {
  readonly state: ReadonlyMap<string, Tensor>;
  readonly factorCount: number;
  factors(learningRate: number, steps: number): number[];
  update(gradients: readonly Tensor[], factors: readonly Tensor[]): void;
}

function running(parameters: ReadonlyMap<string, Tensor>, rule: Rule): OptimizerRun {
  const [like] = parameters.values();
  const shapes = [...parameters].map(([name, { shape }]) => [name, shape.join(", ")] as const);
  const checkGradients = (gradients: readonly Tensor[]) => {
    const listed = Array.isArray(gradients) && gradients.every((gradient) => gradient instanceof Tensor);
    checkKind("gradients", gradients, "a list of tensors", listed);
    if (gradients.length !== shapes.length) {
      throw new RangeError(
        `step takes a gradient for each of the ${shapes.length} parameters, not ${gradients.length}`,
      );
    }
    // A smaller one would be spread over its parameter.
    for (const [i, [name, shape]] of shapes.entries()) {
      const given = gradients[i]!.shape.join(", ");
      if (given === shape) continue;
      throw new RangeError(`the gradient of "${name}" must have its shape [${shape}], not [${given}]`);
    }
  };
  return {
    state: rule.state,
    factorCount: rule.factorCount,
    steps: 0,
    nextFactors(learningRate) {
      checkKind("learningRate", learningRate, "a number", typeof learningRate === "number");
      const ok = learningRate >= 0 && learningRate < Number.POSITIVE_INFINITY;
      checkNumber("learningRate", learningRate, "finite and >= 0", ok);
      this.steps++;
      return rule.factors(learningRate, this.steps);
    },
    update(gradients, factors) {
      checkGradients(gradients);
      noGrad(() => scope(() => rule.update(gradients, factors)));
    },
    step(gradients, learningRate) {
      checkGradients(gradients);
      const factors = this.nextFactors(learningRate);
      const asTensor = (factor: number) => ops.full([], factor, like!.dtype, like!.device);
      scope(() => this.update(gradients, factors.map(asTensor)));
    },
  };
}

/** Optimizer before its options name it. */
export interface OptimizerWork {
  /** Begins the optimization of parameters by name, such as `module.parameters()`. */
  on(parameters: ReadonlyMap<string, Tensor>): OptimizerRun;
}

/** Optimizer with its options, such as `sgd({ momentum: 0.9 })`. */
export interface Optimizer extends OptimizerWork, Value {
  readonly name: string;
}

/** Every optimizer by its name: `optimizers.parse("sgd(momentum=0.9)")`. */
export const optimizers = new Kind<OptimizerWork, Optimizer>("optimizer", "sgd(momentum=0.9)");

/** Defines an optimizer: `rule` says for checked options and parameters how an update goes. */
export function defineOptimizer<const Name extends string, Schema extends z.ZodObject>(
  name: Name,
  definition: {
    readonly summary: string;
    readonly options: Schema;
    rule(options: z.output<Schema>, parameters: ReadonlyMap<string, Tensor>): Rule;
  },
): Factory<Optimizer, Name, Schema> {
  const what = optimizers.checkParts(name, definition);
  const { summary, options: schema, rule } = definition;
  checkKind(`${what}: rule`, rule, "a function", typeof rule === "function");
  return optimizers.define(name, {
    summary,
    options: schema,
    create: (options) => ({
      on(parameters) {
        checkParameters(parameters);
        return running(parameters, rule(options, parameters));
      },
    }),
  });
}
