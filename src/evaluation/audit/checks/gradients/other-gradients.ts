import { backward } from "../../../../attacks/index.js";
import { type Trial, whiteBox } from "../../../../trials/index.js";
import { standardAttack } from "../../attacks.js";
import { isAboveAny, percentOf } from "../../difference.js";
import type { AuditPlan } from "../../plan.js";
import { defineCheck } from "../check.js";
import { unlessTooWeak } from "../too-weak.js";

/** Points that another gradient may take before the model's own counts as misleading. */
const misleading = 5;

const plain = (plan: AuditPlan) => whiteBox(standardAttack(plan));
const names = ({ players }: AuditPlan) => Object.keys(players.model.surrogates ?? {});
const through = (plan: AuditPlan, name: string): Trial =>
  whiteBox(backward(standardAttack(plan), { through: name }));

/**
 * A defense's own gradient may lead astray where that of a surrogate does not. An adaptive attacker takes
 * whichever works, so all of them count as attacks by gradients elsewhere; this check tells where the model's
 * own led astray.
 */
export const otherGradients = defineCheck("other-gradients", {
  question: "Do the gradients of surrogates find no more than the model's own?",
  source: "Athalye et al. 2018, section 4.1",
  group: "gradients",
  trials: (plan) => [plain(plan), ...names(plan).map((name) => through(plan, name))],
  judge(plan, { of, clean }) {
    if (names(plan).length === 0)
      return { outcome: "skipped", evidence: "the model's defenses name no surrogates" };
    const own = of(plain(plan)).answers;
    const all = names(plan).map((name) => ({ name, ...of(through(plan, name)) }));
    const found = all.filter(({ stops }) => stops.length === 0).map(({ answers }) => answers);
    const evidence = [
      `accuracy ${percentOf(own)} by the model's own gradients`,
      ...all.map(({ name, answers, stops }) =>
        stops.length > 0 ? `those of ${name} are not finite` : `${percentOf(answers)} by those of ${name}`,
      ),
    ].join(", ");
    if (found.length === 0) return { outcome: "skipped", evidence };
    if (isAboveAny(own, found, misleading)) return { outcome: "masked", evidence };
    const outcome = isAboveAny(own, found) ? "noted" : "passed";
    return unlessTooWeak({ outcome, evidence }, clean, [own, ...found]);
  },
});
