import { jacobianScaling, temperature } from "../../../../attacks/index.js";
import { type Trial, whiteBox } from "../../../../trials/index.js";
import { standardAttack } from "../../attacks.js";
import { isAboveAny, percentOf } from "../../difference.js";
import type { AuditPlan } from "../../plan.js";
import { defineCheck } from "../check.js";
import { unlessTooWeak } from "../too-weak.js";

/** Points that scaled logits may take from every loss before the softmax counts as what hides gradients. */
const hidden = 5;

type Named = readonly (readonly [name: string, trial: Trial])[];

const plain = (plan: AuditPlan) => whiteBox(standardAttack(plan));

const losses = (plan: AuditPlan): Named =>
  (["margin", ...(plan.players.model.classes >= 3 ? (["dlr"] as const) : [])] as const).map((loss) => [
    `by the loss ${loss}`,
    whiteBox(standardAttack(plan, { loss })),
  ]);

const scaled = (plan: AuditPlan): Named => [
  ["on logits over 10", whiteBox(temperature(standardAttack(plan), { value: 10 }))],
  ["on logits scaled by the Jacobian", whiteBox(jacobianScaling(standardAttack(plan)))],
];

/**
 * A loss that finds more shows that cross-entropy was a weak choice, which makes a claim overstated. Scaled
 * logits that find more than every loss show that gradients vanish in the softmax.
 */
export const otherLosses = defineCheck("other-losses", {
  question: "Do other losses and other scales of logits find no more?",
  source: "Croce and Hein 2020; Gupta and Ajanthan 2020",
  group: "gradients",
  trials: (plan) => [plain(plan), ...[...losses(plan), ...scaled(plan)].map(([, trial]) => trial)],
  judge(plan, { of, clean }) {
    const answers = (named: Named) => named.map(([, trial]) => of(trial).answers);
    const own = of(plain(plan)).answers;
    const evidence = [
      `accuracy ${percentOf(own)} by cross-entropy`,
      ...[...losses(plan), ...scaled(plan)].map(([name, trial]) => `${percentOf(of(trial).answers)} ${name}`),
    ].join(", ");
    const best = [own, ...answers(losses(plan))].reduce((least, one) =>
      one.mean() < least.mean() ? one : least,
    );
    if (isAboveAny(best, answers(scaled(plan)), hidden)) return { outcome: "masked", evidence };
    const others = [...answers(losses(plan)), ...answers(scaled(plan))];
    const outcome = isAboveAny(own, others) ? "noted" : "passed";
    return unlessTooWeak({ outcome, evidence }, clean, [own, ...others]);
  },
});
