import { pgdText } from "../attack-texts.js";
import type { AuditPlan, AuditResults, Check, Finding } from "../check.js";
import { isAboveAny, percentOf } from "../difference.js";
import type { Player } from "../players.js";
import { blackBox, type Trial } from "../trial.js";

const from = (plan: AuditPlan, player: Player): Trial =>
  blackBox(pgdText(plan, { restarts: plan.budget.restarts }), player);

function compare(plan: AuditPlan, { of, whiteBox }: AuditResults, players: readonly Player[]): Finding {
  const found = players.map((player) => of(from(plan, player)));
  const evidence = [
    ...found.map(
      ({ answers, trial }) => `images made on ${trial.on.replace(/^[^:]*:/, "")} leave ${percentOf(answers)}`,
    ),
    `the network's own gradients ${percentOf(whiteBox)}`,
  ].join(", ");
  const stronger = isAboveAny(
    whiteBox,
    found.map(({ answers }) => answers),
  );
  return { outcome: stronger ? "masked" : "passed", evidence };
}

const hasTwin = ({ subject }: AuditPlan) => subject.model.substitutes?.twin !== undefined;

/** The twin is the network's mean: what fools it should not fool the network more than its own gradients do. */
export const twin: Check = {
  name: "twin",
  question: "Does the network with its quantizers off give no better adversarial images?",
  source: "Athalye et al. 2018, section 4.1",
  trials: (plan) => (hasTwin(plan) ? [from(plan, "substitute:twin")] : []),
  judge: (plan, results) =>
    hasTwin(plan)
      ? compare(plan, results, ["substitute:twin"])
      : { outcome: "skipped", evidence: "the network has no quantizers" },
};

const others = ({ subject }: AuditPlan) =>
  Object.keys(subject.transfers ?? {}).map((name): Player => `transfer:${name}`);

/** Images that were made on another network must not be better either. */
export const transfer: Check = {
  name: "transfer",
  question: "Are adversarial images of other networks no stronger than gradients?",
  source: "Athalye et al. 2018, section 3.1; Carlini et al. 2019, section 4.3",
  trials: (plan) => others(plan).map((player) => from(plan, player)),
  judge: (plan, results) =>
    others(plan).length > 0
      ? compare(plan, results, others(plan))
      : { outcome: "skipped", evidence: "no other network was given" },
};
