import * as z from "zod";
import { ratio } from "../../options/index.js";
import { defineCombinator } from "../contract/combinator.js";

/**
 * Attack on logits divided by a temperature. Above 1 it brings back gradients that vanish where a logit leads
 * by far, as those of binarized networks do (Gupta and Ajanthan 2020, section 4).
 */
export const temperature = defineCombinator("temperature", {
  summary: "another attack on logits divided by a temperature",
  takes: "one attack",
  options: z.strictObject({
    value: ratio({ above: 0, max: 1e30 }).default(10).describe("temperature that divides the logits"),
  }),
  run: ({ value }, [attack], victim, images, labels) =>
    victim.run(attack, images, labels, { view: { scale: 1 / value } }),
});
