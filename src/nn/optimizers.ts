import { checkKind, noGrad, operators as ops, scope, type Tensor } from "../engine/index.js";

/** Changes parameters by their gradients; `state` holds what a checkpoint must keep. */
export interface Optimizer {
  /** One update with a learning rate; gradients in the order of the parameters. */
  step(gradients: readonly Tensor[], learningRate: number): void;
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

function checkNumber(name: string, value: number, accepted: string, ok: boolean): void {
  if (!ok) throw new RangeError(`${name} must be ${accepted}, not ${value}`);
}

function checkParameters(parameters: ReadonlyMap<string, Tensor>): void {
  checkKind("parameters", parameters, "a Map such as module.parameters()", parameters instanceof Map);
}

function checkStep(parameters: ReadonlyMap<string, Tensor>, gradients: readonly Tensor[], rate: number): void {
  checkKind("gradients", gradients, "a list of tensors", Array.isArray(gradients));
  if (gradients.length !== parameters.size) {
    throw new RangeError(
      `step takes a gradient for each of the ${parameters.size} parameters, not ${gradients.length}`,
    );
  }
  checkNumber("learningRate", rate, "finite and >= 0", rate >= 0 && rate < Number.POSITIVE_INFINITY);
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
  return {
    state,
    steps: 0,
    step(gradients, learningRate) {
      checkStep(parameters, gradients, learningRate);
      noGrad(() =>
        scope(() => {
          const descent = gradients.map((gradient) => gradient.clone());
          if (weightDecay > 0) ops.foreachAdd_(descent, values, weightDecay);
          if (momentum === 0) {
            ops.foreachAdd_(values, descent, -learningRate);
            return;
          }
          ops.foreachMul_(velocities, momentum);
          ops.foreachAdd_(velocities, descent);
          if (nesterov) {
            ops.foreachAdd_(descent, velocities, momentum);
            ops.foreachAdd_(values, descent, -learningRate);
          } else {
            ops.foreachAdd_(values, velocities, -learningRate);
          }
        }),
      );
      this.steps++;
    },
  };
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
  return {
    state: new Map([...first, ...second]),
    steps: 0,
    step(gradients, learningRate) {
      checkStep(parameters, gradients, learningRate);
      this.steps++;
      const means = [...first.values()];
      const squares = [...second.values()];
      noGrad(() =>
        scope(() => {
          const descent = gradients.map((gradient) => gradient.clone());
          if (weightDecay > 0) ops.foreachAdd_(descent, values, weightDecay);
          ops.foreachMul_(means, beta1);
          ops.foreachAdd_(means, descent, 1 - beta1);
          ops.foreachMul_(squares, beta2);
          ops.foreachAddcmul_(squares, descent, descent, 1 - beta2);
          const denominators = ops.foreachSqrt(squares);
          ops.foreachDivScalar_(denominators, Math.sqrt(1 - beta2 ** this.steps));
          ops.foreachAddScalar_(denominators, epsilon);
          ops.foreachAddcdiv_(values, means, denominators, -learningRate / (1 - beta1 ** this.steps));
        }),
      );
    },
  };
}
