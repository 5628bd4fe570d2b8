import { pgdText } from "../attack-texts.js";
import type { AuditPlan, Check } from "../check.js";
import { difference, percentOf } from "../difference.js";
import { attackOf, type Trial, whiteBox } from "../trial.js";

/** Points that another loss or gradient may take before the plain one counts as misleading. */
const misleading = 5;

/** The same attack on other losses, on scaled logits, and through other gradients of the quantizers. */
function variants(plan: AuditPlan): Trial[] {
  const { model } = plan.subject;
  const names = Object.keys(model.substitutes ?? {});
  const texts = [
    pgdText(plan, { loss: "margin" }),
    ...(model.classes >= 3 ? [pgdText(plan, { loss: "dlr" })] : []),
    `temperature(${pgdText(plan)}, value=10)`,
    `jacobian-scaling(${pgdText(plan)})`,
    ...names.map((through) => `backward(${pgdText(plan)}, through=${through})`),
  ];
  return texts.map(whiteBox);
}

const nameOf = (trial: Trial): string => {
  const { name, options } = attackOf(trial)!;
  if (options.through !== undefined) return `through ${options.through}`;
  return typeof options.loss === "string" ? options.loss : name;
};

/** Where cross-entropy or the straight-through gradient vanishes, others do not. */
export const otherGradients: Check = {
  name: "other-gradients",
  question: "Do other losses, scales of logits and gradients of quantizers find no more?",
  source: "Croce and Hein 2020; Gupta and Ajanthan 2020; Athalye et al. 2018, section 4.1",
  trials: (plan) => [whiteBox(pgdText(plan)), ...variants(plan)],
  judge(plan, { of }) {
    const plain = of(whiteBox(pgdText(plan))).answers;
    const found = variants(plan).map((trial) => ({ name: nameOf(trial), answers: of(trial).answers }));
    const evidence = [
      `cross-entropy leaves ${percentOf(plain)}`,
      ...found.map(({ name, answers }) => `${name} ${percentOf(answers)}`),
    ].join(", ");
    const drops = found.map(({ answers }) => difference(plain, answers));
    const most = drops.reduce((a, b) => (b.points > a.points ? b : a));
    if (most.points > Math.max(misleading, most.error)) return { outcome: "masked", evidence };
    return { outcome: most.points > Math.max(1, most.error) ? "noted" : "passed", evidence };
  },
};
