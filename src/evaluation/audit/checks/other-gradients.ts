import { type Trial, whiteBox } from "../../../trials/trial.js";
import { pgdText } from "../attack-texts.js";
import type { AuditPlan, Check } from "../check.js";
import { isAboveAny, percentOf } from "../difference.js";

/** Points that another gradient may take before the network's own counts as misleading. */
const misleading = 5;

const plain = (plan: AuditPlan) => whiteBox(pgdText(plan));
const names = ({ subject }: AuditPlan) => Object.keys(subject.model.substitutes ?? {});
const through = (plan: AuditPlan, name: string): Trial => whiteBox(`backward(${pgdText(plan)}, through=${name})`);

/**
 * Where the straight-through gradient of a quantizer leads astray, another need not. An adaptive attacker takes whichever
 * works, so all of them count as attacks by gradients elsewhere; that the network's own led astray is told here.
 */
export const otherGradients: Check = {
  name: "other-gradients",
  question: "Do other gradients of the quantizers find no more?",
  source: "Athalye et al. 2018, section 4.1",
  trials: (plan) => [plain(plan), ...names(plan).map((name) => through(plan, name))],
  judge(plan, { of }) {
    if (names(plan).length === 0) return { outcome: "skipped", evidence: "the network has no quantizers" };
    const own = of(plain(plan)).answers;
    const all = names(plan).map((name) => ({ name, ...of(through(plan, name)) }));
    const found = all.filter(({ stops }) => stops.length === 0).map(({ answers }) => answers);
    const evidence = [
      `the network's own leave ${percentOf(own)}`,
      ...all.map(({ name, answers, stops }) =>
        stops.length > 0 ? `through ${name} not finite` : `through ${name} ${percentOf(answers)}`,
      ),
    ].join(", ");
    if (found.length === 0) return { outcome: "skipped", evidence };
    if (isAboveAny(own, found, misleading)) return { outcome: "masked", evidence };
    return { outcome: isAboveAny(own, found) ? "noted" : "passed", evidence };
  },
};
