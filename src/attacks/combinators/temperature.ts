import * as z from "zod";
import { ratio } from "../../options/ratio.js";
import { defineCombinator } from "./combinator.js";

/**
 * Any attack on logits divided by a temperature: above 1 it brings back gradients that vanish where one logit leads by
 * far, as those of binarized networks do (Gupta and Ajanthan 2020, section 4).
 */
export const temperature = defineCombinator("temperature", {
  summary: "another attack on logits divided by a temperature",
  takes: "one attack",
  options: z.strictObject({ value: ratio({ above: 0 }).default(10).describe("what the logits are divided by") }),
  run: ({ value }, [attack], target, images, labels) =>
    target.run(attack, images, labels, { view: { scale: 1 / value } }),
});
