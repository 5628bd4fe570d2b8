import * as z from "zod";
import { defineCombinator } from "../contract/combinator.js";
import { surrogateFault } from "../contract/passes.js";

/**
 * Attack with the gradient of a surrogate in place of the classifier's own: backward pass differentiable
 * approximation (Athalye, Carlini and Wagner 2018, section 4.1). A classifier says which surrogates it has;
 * with SQA they are
 *
 * - `noise-free`: its quantizers switched off, which is its mean;
 * - `staircase`: quantizers forward, the slope of a smooth staircase backward;
 * - `range`: straight-through, and through the minimum and maximum too.
 *
 * SAP and thermometer codes have `straight-through`, whose answers are theirs.
 *
 * With `forward=surrogate` the attack goes by the surrogate's answers as well, so that it is a transfer.
 */
export const backward = defineCombinator("backward", {
  summary: "another attack with the gradients of a surrogate (BPDA)",
  takes: "one attack",
  options: z.strictObject({
    through: z.string().default("noise-free").describe("surrogate through which gradients are taken"),
    forward: z.enum(["own", "surrogate"]).default("own").describe("classifier whose answers the attack uses"),
  }),
  fault: ({ through }, classifier) => surrogateFault(classifier, through),
  run: ({ through, forward }, [attack], victim, images, labels) =>
    victim.run(attack, images, labels, { view: { through, forward } }),
});
