import { countText } from "../../../../base/index.js";
import { shareText } from "../../../../report/index.js";
import { defineCheck } from "../check.js";

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A loss that still rises at the end shows that the attack was stopped too early. */
export const lossConverged = defineCheck("loss-converged", {
  question: "Has the loss stopped rising at the attack's end?",
  source: "Pintor et al. 2022, indicator 4",
  group: "convergence",
  judge(_, { trace: { losses, stop } }) {
    if (stop !== undefined) return { outcome: "skipped", evidence: stop };
    if (losses.length < 4)
      return {
        outcome: "skipped",
        evidence: `an attack of ${countText(losses.length, "step")} has no tenths`,
      };
    const last = Math.max(2, Math.floor(losses.length / 10));
    const [before, end] = [mean(losses.slice(-2 * last, -last)), mean(losses.slice(-last))];
    // A loss of 0 that rises at all has risen beyond any share of it.
    const change = end === before ? 0 : (end - before) / Math.abs(before);
    const evidence =
      `mean loss ${losses[0]!.toFixed(2)} at first, ${end.toFixed(2)} in the last tenth of the steps, ` +
      `${shareText(Math.abs(change))} ${change < 0 ? "below" : "above"} the tenth before`;
    // One draw of few images: no ground for more than a note, and `gradients` examines the first step.
    if (end <= losses[0]!)
      return { outcome: "noted", evidence: `${evidence}: the attack does not raise the loss` };
    return { outcome: change > 0.05 ? "noted" : "passed", evidence };
  },
});
