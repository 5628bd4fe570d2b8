import { attackLabel } from "../../../attacks/index.js";
import type { Accuracy } from "../../../trials/index.js";
import { environmentOf } from "../evidence/environment.js";
import { methodFor, wilsonMethod } from "../evidence/interval-methods.js";
import { perClassMethod } from "../evidence/per-class.js";
import { roundingSurvivors } from "../worst-images.js";
import { drawsOf, type ReportData } from "./data.js";
import { evidenceOf } from "./evidence.js";
import { figuresOf } from "./figures.js";
import { judgedOutcome } from "./judged-outcome.js";
import { perImageOf, trialRows } from "./rows.js";
import { type AuditJson, auditSchemaVersion } from "./schema/audit.js";

/** An audit's findings as JSON. */
export function reportJson(data: ReportData): AuditJson {
  const { conclusion, plan, worst, subject, id, startedAt, shards } = data;
  const { settings, opened, transfers, split } = subject;
  const { majority, everyDraw, curves, convergence, losses } = conclusion;
  const seconds = conclusion.trials.reduce((sum, trial) => sum + trial.seconds, 0);
  const time = { startedAt, finishedAt: new Date().toISOString(), seconds, shards };
  const method = methodFor(plan.players.model.randomized);
  const figure = (found: Accuracy, by = method) => ({ ...found, method: by });
  const { fixedSeed, perClass, perClassWorst } = figuresOf(data);
  const perImage = perImageOf(data);
  return {
    schema: auditSchemaVersion,
    model: opened.name,
    defenses: (opened.model?.defenses ?? []).map(String),
    data: split.name,
    id,
    seed: settings.seed,
    batchSize: settings.batchSize,
    transfers: Object.keys(transfers),
    verdict: {
      ...conclusion.verdict,
      reasons: conclusion.verdict.reasons.map((reason) => ({ ...reason })),
    },
    outcome: judgedOutcome(data, perImage),
    norm: plan.norm,
    epsilon: plan.epsilon,
    claimedBy: String(plan.claim.attack),
    claimedByLabel: attackLabel(plan.claim.attack!, { radius: false }),
    claimGiven: settings.claimed,
    budget: plan.budget,
    images: conclusion.images,
    draws: drawsOf(data),
    resolution: { ...conclusion.resolution },
    clean: figure(conclusion.clean),
    claim: figure(conclusion.claim),
    worst: figure(conclusion.worst),
    ...(majority === undefined || everyDraw === undefined
      ? {}
      : { worstMajority: figure(majority), worstEveryDraw: figure(everyDraw, wilsonMethod) }),
    ...(fixedSeed === undefined ? {} : { fixedSeed: figure(fixedSeed, wilsonMethod) }),
    ...(perClassWorst === undefined ? {} : { perClassWorst: figure(perClassWorst, perClassMethod) }),
    survivesRounding: roundingSurvivors(worst),
    checklist: conclusion.lines.map((line) => ({ ...line })),
    curves: curves.map((curve) => ({
      ...curve,
      method,
      points: curve.points.map((point) => ({ ...point })),
    })),
    convergence: convergence.map((curve) => ({
      ...curve,
      points: curve.points.map((point) => ({ ...point })),
    })),
    losses: [...losses],
    trials: trialRows(data),
    failed: conclusion.failed.map(({ trial, error }) => ({ trial: trial.id, error: error.message })),
    perImage,
    evidence: evidenceOf(data, perClass, figure),
    environment: environmentOf(opened.device, settings.provenance, time),
  };
}
