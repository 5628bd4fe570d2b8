import * as z from "zod";
import { operators as ops, sgdUpdate, sgdUpdateSupports, type Tensor } from "../../engine/index.js";
import { ratio } from "../../options/index.js";
import { addMultiples } from "../lists.js";
import { buffers, defineOptimizer } from "./optimizer.js";

/**
 * Stochastic gradient descent with momentum and weight decay (Sutskever et al. 2013, in PyTorch's form):
 * d = g + decay * p; v = momentum * v + d; p -= rate * v, or rate * (d + momentum * v) with Nesterov.
 */
export const sgd = defineOptimizer("sgd", {
  summary: "stochastic gradient descent with momentum",
  options: z
    .strictObject({
      momentum: ratio({ min: 0, below: 1 }).default(0.9).describe("share of the last step that is kept"),
      weightDecay: ratio({ min: 0 })
        .default(5e-4)
        .describe("factor of the weights that is added to their gradient"),
      nesterov: z.boolean().default(false).describe("Nesterov momentum: the gradient ahead of the step"),
    })
    .refine(({ nesterov, momentum }) => !nesterov || momentum > 0, "nesterov needs a momentum above 0"),
  rule({ momentum, weightDecay, nesterov }, parameters) {
    const values = [...parameters.values()];
    const state = momentum > 0 ? buffers(parameters, "momentum") : new Map<string, Tensor>();
    const velocities = [...state.values()];
    const inOnePass = sgdUpdateSupports(values);
    return {
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
    };
  },
});
