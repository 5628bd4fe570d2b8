import { backward, lsPga } from "../../../../attacks/index.js";
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

/** Attacks that take another gradient than the model's own, by what it is of. */
function othersOf(plan: AuditPlan): { readonly of: string; readonly trial: Trial }[] {
  const { players, norm, epsilon, budget } = plan;
  const through = (name: string) => whiteBox(backward(standardAttack(plan), { through: name }));
  const others = names(plan).map((name) => ({ of: name, trial: through(name) }));
  if (players.model.levels === undefined || norm !== "linf") return others;
  const onLevels = whiteBox(lsPga({ epsilon, steps: budget.steps }));
  return [...others, { of: "its levels (LS-PGA)", trial: onLevels }];
}

/**
 * A defense's own gradient may lead astray where that of a surrogate does not, or that of the weights of a
 * code's levels. An adaptive attacker takes whichever works, so all of them count as attacks by gradients
 * elsewhere; this check tells where the model's own led astray.
 */
export const otherGradients = defineCheck("other-gradients", {
  question: "Do the gradients of surrogates, or of levels of pixels, find no more than the model's own?",
  source: "Athalye et al. 2018, section 4.1; Buckman et al. 2018, section 3",
  group: "gradients",
  trials: (plan) => [plain(plan), ...othersOf(plan).map(({ trial }) => trial)],
  judge(plan, { of, clean }) {
    const others = othersOf(plan);
    if (others.length === 0)
      return {
        outcome: "skipped",
        evidence: "the model's defenses name no surrogates, and no levels of pixels",
      };
    const own = of(plain(plan)).answers;
    const all = others.map((other) => ({ ...of(other.trial), name: other.of }));
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
