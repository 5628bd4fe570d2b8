import type { Player } from "../../../trials/players.js";
import { blackBox, type Trial } from "../../../trials/trial.js";
import { pgdText } from "../attack-texts.js";
import type { AuditPlan, AuditResults, Check, Finding } from "../check.js";
import { againstGradients } from "./against-gradients.js";

const from = (plan: AuditPlan, player: Player): Trial =>
  blackBox(pgdText(plan, { restarts: plan.budget.restarts }), player);

/** A network whose numbers are not finite gives no images to judge by, and says nothing of the audited one. */
function compare(plan: AuditPlan, results: AuditResults, players: readonly Player[]): Finding {
  const all = players.map((player) => ({ name: player.replace(/^[^:]*:/, ""), ...results.of(from(plan, player)) }));
  const broken = all.filter(({ stops }) => stops.some(({ player }) => player !== "network"));
  const unable = broken.map(({ name }) => `${name} is not finite`);
  const made = all.filter((one) => !broken.includes(one));
  if (made.length === 0) return { outcome: "skipped", evidence: unable.join(", ") };
  const named = made.map(({ name, answers }) => ({ name: `what fools ${name}`, answers }));
  const { outcome, evidence } = againstGradients(named, results);
  return { outcome, evidence: [evidence, ...unable].join(", ") };
}

const hasTwin = ({ subject }: AuditPlan) => subject.model.substitutes?.twin !== undefined;

/** The twin is the network's mean: what fools it should not fool the network more than attacks by gradients do. */
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
