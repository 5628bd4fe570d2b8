import type { Check } from "../check.js";

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A loss that still rises at the end shows that the attack was stopped too early. */
export const lossConverged: Check = {
  name: "loss-converged",
  question: "Has the loss stopped rising at the attack's end?",
  source: "Pintor et al. 2022, indicator 4",
  trials: () => [],
  judge(_, { trace: { losses, stop } }) {
    if (stop !== undefined) return { outcome: "skipped", evidence: stop };
    if (losses.length < 4) return { outcome: "skipped", evidence: `an attack of ${losses.length} steps has no tenths` };
    const last = Math.max(2, Math.floor(losses.length / 10));
    const [before, end] = [mean(losses.slice(-2 * last, -last)), mean(losses.slice(-last))];
    const change = (end - before) / Math.max(Math.abs(before), 1e-12);
    const evidence = `mean loss ${losses[0]!.toFixed(2)} at first, ${end.toFixed(2)} in the last tenth of the steps, ${(100 * change).toFixed(1)} % above the tenth before`;
    // One draw of few images: no ground for more than a note, and `gradients` looks at the first step by itself.
    if (end <= losses[0]!) return { outcome: "noted", evidence: `${evidence}: the attack does not raise the loss` };
    return { outcome: change > 0.05 ? "noted" : "passed", evidence };
  },
};

/** An attack that passes through a success and returns a failure hides it. */
export const silentSuccess: Check = {
  name: "silent-success",
  question: "Does the attack return every success that it passes through?",
  source: "Pintor et al. 2022, indicator 3",
  trials: () => [],
  judge(plan, { trace: { fooled, stop } }) {
    if (stop !== undefined) return { outcome: "skipped", evidence: stop };
    if (plan.subject.model.randomized) {
      return { outcome: "skipped", evidence: "in one draw a randomized network is fooled now and then by luck" };
    }
    const end = fooled.at(-1)!;
    const lost = [...end].filter((success, i) => success === 0 && fooled.some((step) => step[i] === 1)).length;
    const evidence = `${lost} of ${end.length} images were misclassified at some step and not at the last`;
    return { outcome: lost > 0.02 * end.length ? "noted" : "passed", evidence };
  },
};
