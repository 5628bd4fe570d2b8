import { blackBox, type Player, type Trial } from "../../../../trials/index.js";
import { standardAttack } from "../../attacks.js";
import type { AuditPlan, AuditResults } from "../../plan.js";
import type { Judgment } from "../check.js";
import { againstGradients } from "./against-gradients.js";

/** Trial of images that are made on another player by the standard attack with its restarts. */
export function madeOn(plan: AuditPlan, player: Player): Trial {
  return blackBox(standardAttack(plan, { restarts: plan.budget.restarts }), { on: player });
}

/**
 * Judges images made on other players. A player whose numbers are not finite gives none, and says nothing.
 */
export function judgeTransferred(
  plan: AuditPlan,
  results: AuditResults,
  players: readonly Player[],
): Judgment {
  const all = players.map((player) => ({
    name: player.replace(/^[^:]*:/, ""),
    ...results.of(madeOn(plan, player)),
  }));
  const broken = all.filter(({ stops }) => stops.some(({ player }) => player !== "model"));
  const unable = broken.map(({ name }) => `${name} is not finite`);
  const made = all.filter((one) => !broken.includes(one));
  if (made.length === 0) return { outcome: "skipped", evidence: unable.join(", ") };
  const named = made.map(({ name, answers }) => ({ name: `images made on ${name}`, answers }));
  const { outcome, evidence } = againstGradients(named, results);
  return { outcome, evidence: [evidence, ...unable].join(", ") };
}
