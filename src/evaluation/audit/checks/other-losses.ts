import { type Trial, whiteBox } from "../../../trials/trial.js";
import { pgdText } from "../attack-texts.js";
import type { AuditPlan, Check } from "../check.js";
import { isAboveAny, percentOf } from "../difference.js";

/** Points that scaled logits may take from every loss before the softmax counts as what hides gradients. */
const hidden = 5;

type Named = readonly (readonly [name: string, trial: Trial])[];

const plain = (plan: AuditPlan) => whiteBox(pgdText(plan));

const losses = (plan: AuditPlan): Named =>
  ["margin", ...(plan.subject.model.classes >= 3 ? ["dlr"] : [])].map((loss) => [
    loss,
    whiteBox(pgdText(plan, { loss })),
  ]);

const scaled = (plan: AuditPlan): Named => [
  ["logits over 10", whiteBox(`temperature(${pgdText(plan)}, value=10)`)],
  ["logits scaled by the Jacobian", whiteBox(`jacobian-scaling(${pgdText(plan)})`)],
];

/**
 * A loss that finds more shows that cross-entropy was a weak choice, which makes a claim overstated. Scaled logits that find
 * more than every loss show that gradients vanish in the softmax.
 */
export const otherLosses: Check = {
  name: "other-losses",
  question: "Do other losses and other scales of logits find no more?",
  source: "Croce and Hein 2020; Gupta and Ajanthan 2020",
  trials: (plan) => [plain(plan), ...[...losses(plan), ...scaled(plan)].map(([, trial]) => trial)],
  judge(plan, { of }) {
    const answers = (named: Named) => named.map(([, trial]) => of(trial).answers);
    const own = of(plain(plan)).answers;
    const evidence = [
      `cross-entropy leaves ${percentOf(own)}`,
      ...[...losses(plan), ...scaled(plan)].map(([name, trial]) => `${name} ${percentOf(of(trial).answers)}`),
    ].join(", ");
    const best = [own, ...answers(losses(plan))].reduce((least, one) => (one.mean() < least.mean() ? one : least));
    if (isAboveAny(best, answers(scaled(plan)), hidden)) return { outcome: "masked", evidence };
    const more = isAboveAny(own, [...answers(losses(plan)), ...answers(scaled(plan))]);
    return { outcome: more ? "noted" : "passed", evidence };
  },
};
