import * as z from "zod";
import { defineCombinator } from "./combinator.js";

/**
 * Any attack with the gradient of a substitute in place of the network's own: backward pass differentiable approximation
 * (Athalye, Carlini and Wagner 2018, section 4.1). A network says which substitutes it has; one with SQA has
 *
 * - `twin`: its quantizers switched off, which is the network's mean;
 * - `staircase`: quantizers forward, the slope of a smooth staircase backward;
 * - `range`: straight-through, and through the minimum and maximum too.
 *
 * With `forward` substitute the answers are the substitute's as well, so that the attack is a transfer. Throws a RangeError
 * for a substitute that the network does not have.
 */
export const backward = defineCombinator("backward", {
  summary: "another attack with the gradients of a substitute network (BPDA)",
  takes: "one attack",
  options: z.strictObject({
    through: z.string().default("twin").describe("the network's substitute that gradients are taken through"),
    forward: z.enum(["own", "substitute"]).default("own").describe("whose answers the attack goes by"),
  }),
  run: ({ through, forward }, [attack], target, images, labels) =>
    target.run(attack, images, labels, { view: { through, forward } }),
});
