import * as z from "zod";
import type { Tensor } from "../engine/index.js";
import { adam, type Optimizer, sgd } from "../nn/index.js";
import { define, Registry } from "../options/named.js";
import { ratio } from "../options/ratio.js";

/** An optimizer for a run: made once the network's parameters are there. */
export interface OptimizerChoice {
  optimizer(parameters: ReadonlyMap<string, Tensor>): Optimizer;
}

const sgdDefinition = define({
  name: "sgd",
  summary: "stochastic gradient descent with momentum",
  options: z.strictObject({
    momentum: ratio({ min: 0, below: 1 }).default(0.9),
    weightDecay: ratio({ min: 0 }).default(5e-4),
    nesterov: z.boolean().default(false),
  }),
  create: (options): OptimizerChoice => ({ optimizer: (parameters) => sgd(parameters, options) }),
});

const adamDefinition = define({
  name: "adam",
  summary: "Adam (Kingma and Ba 2015)",
  options: z.strictObject({
    beta1: ratio({ min: 0, below: 1 }).default(0.9),
    beta2: ratio({ min: 0, below: 1 }).default(0.999),
    epsilon: ratio({ above: 0 }).default(1e-8),
    weightDecay: ratio({ min: 0 }).default(0),
  }),
  create: (options): OptimizerChoice => ({ optimizer: (parameters) => adam(parameters, options) }),
});

/** Every optimizer: `optimizers.parse("sgd(momentum=0.9, weightDecay=5e-4)")`. */
export const optimizers = new Registry<OptimizerChoice>("optimizer", [sgdDefinition, adamDefinition]);
