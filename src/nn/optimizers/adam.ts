import * as z from "zod";
import { operators as ops } from "../../engine/index.js";
import { ratio } from "../../options/index.js";
import { divide, products } from "../lists.js";
import { buffers, defineOptimizer } from "./optimizer.js";

/** Adam (Kingma and Ba 2015, Algorithm 1), in PyTorch's form with l2 weight decay added to the gradient. */
export const adam = defineOptimizer("adam", {
  summary: "Adam (Kingma and Ba 2015)",
  options: z.strictObject({
    beta1: ratio({ min: 0, below: 1 }).default(0.9).describe("share that the mean of gradients keeps"),
    beta2: ratio({ min: 0, below: 1 }).default(0.999).describe("share that the mean of their squares keeps"),
    epsilon: ratio({ above: 0 }).default(1e-8).describe("added to the root of the squares"),
    weightDecay: ratio({ min: 0 })
      .default(0)
      .describe("factor of the weights that is added to their gradient"),
  }),
  rule({ beta1, beta2, epsilon, weightDecay }, parameters) {
    const values = [...parameters.values()];
    const first = buffers(parameters, "first");
    const second = buffers(parameters, "second");
    const [means, squares] = [[...first.values()], [...second.values()]];
    return {
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
    };
  },
});
