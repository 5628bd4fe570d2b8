import { pgdText } from "../attack-texts.js";
import type { AuditPlan, Check } from "../check.js";
import { isAboveAny, percentOf } from "../difference.js";
import { type Trial, whiteBox } from "../trial.js";

/** Points that another gradient may take before the network's own counts as misleading. */
const misleading = 5;

const plain = (plan: AuditPlan) => whiteBox(pgdText(plan));
const names = ({ subject }: AuditPlan) => Object.keys(subject.model.substitutes ?? {});
const through = (plan: AuditPlan, name: string): Trial => whiteBox(`backward(${pgdText(plan)}, through=${name})`);

/** Where the straight-through gradient of a quantizer leads astray, another need not. */
export const otherGradients: Check = {
  name: "other-gradients",
  question: "Do other gradients of the quantizers find no more?",
  source: "Athalye et al. 2018, section 4.1",
  trials: (plan) => [plain(plan), ...names(plan).map((name) => through(plan, name))],
  judge(plan, { of }) {
    if (names(plan).length === 0) return { outcome: "skipped", evidence: "the network has no quantizers" };
    const own = of(plain(plan)).answers;
    const found = names(plan).map((name) => of(through(plan, name)).answers);
    const evidence = [
      `the network's own leave ${percentOf(own)}`,
      ...found.map((answers, i) => `through ${names(plan)[i]} ${percentOf(answers)}`),
    ].join(", ");
    if (isAboveAny(own, found, misleading)) return { outcome: "masked", evidence };
    return { outcome: isAboveAny(own, found) ? "noted" : "passed", evidence };
  },
};
