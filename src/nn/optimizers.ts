import { checkKind, checkNumber } from "../base/index.js";
import { noGrad, operators as ops, scope, sgdUpdate, sgdUpdateSupports, type Tensor } from "../engine/index.js";
import { addMultiples, divide, products } from "./lists.js";

/** Changes parameters by their gradients; `state` holds what a checkpoint must keep. */
export interface Optimizer {
  /** One update with a learning rate; gradients in the order of the parameters. */
  step(gradients: readonly Tensor[], learningRate: number): void;
  /** How many numbers differ from update to update. */
  readonly factorCount: number;
  /** Counts an update, and gives its numbers. */
  nextFactors(learningRate: number): number[];
  /** The update itself, by its numbers as tensors without axes, of the parameters' dtype and on their device. */
  update(gradients: readonly Tensor[], factors: readonly Tensor[]): void;
  /** Tensors by name, in place: loading copies into them. */
  readonly state: ReadonlyMap<string, Tensor>;
  /** Updates made so far; set when a checkpoint is loaded. */
  steps: number;
}

function buffers(parameters: ReadonlyMap<string, Tensor>, kind: string): Map<string, Tensor> {
  return new Map(
    [...parameters].map(([name, parameter]) => [`${kind}.${name}`, scope(() => parameter.detach().zerosLike())]),
  );
}

function checkParameters(parameters: ReadonlyMap<string, Tensor>): void {
  checkKind("parameters", parameters, "a Map such as module.parameters()", parameters instanceof Map);
}

/** What tells an optimizer from others. */
interface Rule {
  readonly state: ReadonlyMap<string, Tensor>;
  readonly factorCount: number;
  factors(learningRate: number, steps: number): number[];
  update(gradients: readonly Tensor[], factors: readonly Tensor[]): void;
}

function optimizer(parameters: ReadonlyMap<string, Tensor>, rule: Rule): Optimizer {
  const [like] = parameters.values();
  const checkGradients = (gradients: readonly Tensor[]) => {
    checkKind("gradients", gradients, "a list of tensors", Array.isArray(gradients));
    if (gradients.length === parameters.size) return;
    throw new RangeError(
      `step takes a gradient for each of the ${parameters.size} parameters, not ${gradients.length}`,
    );
  };
  return {
    state: rule.state,
    factorCount: rule.factorCount,
    steps: 0,
    nextFactors(learningRate) {
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

/**
 * Stochastic gradient descent with momentum and weight decay (Sutskever et al. 2013, in PyTorch's form):
 * d = g + decay * p; v = momentum * v + d; p -= rate * v, or rate * (d + momentum * v) with Nesterov.
 */
export function sgd(
  parameters: ReadonlyMap<string, Tensor>,
  options: { momentum?: number; weightDecay?: number; nesterov?: boolean } = {},
): Optimizer {
  checkParameters(parameters);
  const { momentum = 0, weightDecay = 0, nesterov = false } = options;
  checkNumber("momentum", momentum, "in [0, 1)", momentum >= 0 && momentum < 1);
  checkNumber("weightDecay", weightDecay, ">= 0", weightDecay >= 0);
  if (nesterov && momentum === 0) throw new RangeError("nesterov needs a momentum above 0");
  const values = [...parameters.values()];
  const state = momentum > 0 ? buffers(parameters, "momentum") : new Map<string, Tensor>();
  const velocities = [...state.values()];
  const inOnePass = sgdUpdateSupports(values);
  return optimizer(parameters, {
    state,
    factorCount: 1,
    factors: (learningRate) => [-learningRate],
    update(gradients, [rate]) {
      if (inOnePass) {
        sgdUpdate(values, gradients, velocities, rate!, { momentum, weightDecay, nesterov });
        return;
      }
      const descent = weightDecay > 0 ? ops.foreachAdd(gradients, values, weightDecay) : gradients;
      if (momentum > 0) {
        ops.foreachMul_(velocities, momentum);
        ops.foreachAdd_(velocities, descent);
      }
      const ahead = nesterov ? ops.foreachAdd(descent, velocities, momentum) : velocities;
      addMultiples(values, momentum > 0 ? ahead : descent, rate!);
    },
  });
}

/** Adam (Kingma and Ba 2015, Algorithm 1), in PyTorch's form with l2 weight decay added to the gradient. */
export function adam(
  parameters: ReadonlyMap<string, Tensor>,
  options: { beta1?: number; beta2?: number; epsilon?: number; weightDecay?: number } = {},
): Optimizer {
  checkParameters(parameters);
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  checkNumber("beta1", beta1, "in [0, 1)", beta1 >= 0 && beta1 < 1);
  checkNumber("beta2", beta2, "in [0, 1)", beta2 >= 0 && beta2 < 1);
  checkNumber("epsilon", epsilon, "> 0", epsilon > 0);
  checkNumber("weightDecay", weightDecay, ">= 0", weightDecay >= 0);
  const values = [...parameters.values()];
  const first = buffers(parameters, "first");
  const second = buffers(parameters, "second");
  const [means, squares] = [[...first.values()], [...second.values()]];
  return optimizer(parameters, {
    state: new Map([...first, ...second]),
    factorCount: 2,
    factors: (learningRate, steps) => [Math.sqrt(1 - beta2 ** steps), -learningRate / (1 - beta1 ** steps)],
    update(gradients, [root, rate]) {
      const descent = weightDecay > 0 ? ops.foreachAdd(gradients, values, weightDecay) : gradients;
      ops.foreachMul_(means, beta1);
      ops.foreachAdd_(means, descent, 1 - beta1);
      ops.foreachMul_(squares, beta2);
      ops.foreachAddcmul_(squares, descent, descent, 1 - beta2);
      const denominators = ops.foreachSqrt(squares);
      divide(denominators, root!);
      ops.foreachAddScalar_(denominators, epsilon);
      ops.foreachAddcdiv_(values, products(means, rate!), denominators);
    },
  });
}
