import type { Accuracy } from "../../../trials/index.js";
import { accuracyIn } from "../conclude.js";
import { baselinesOf } from "../evidence/baselines.js";
import { dataFacts } from "../evidence/data-facts.js";
import { modelFacts } from "../evidence/model-facts.js";
import { perClassMethod } from "../evidence/per-class.js";
import { selfTestFacts } from "../evidence/self-test.js";
import { supports } from "../evidence/supports.js";
import { notTestedOf, randomnessOf, statisticsOf, threatModelOf } from "../evidence/threat-model.js";
import { roundingSurvivors } from "../worst-images.js";
import { drawsOf, type ReportData } from "./data.js";
import type { AuditJson } from "./schema/audit.js";

type Figure = AuditJson["worst"];

/** Accuracy under the noise that puts the others in context. */
function baselineFigures({ conclusion, plan }: ReportData, figure: (found: Accuracy) => Figure) {
  const wanted = [{ name: "clean images", id: "clean" }].concat(
    baselinesOf(plan).map(({ name, trial }) => ({ name, id: trial.id })),
  );
  return wanted.flatMap(({ name, id }) => {
    const found = conclusion.trials.find(({ trial }) => trial.id === id);
    return found === undefined
      ? []
      : [{ name, ...figure(accuracyIn(plan, found.answers, `baseline ${name}`)) }];
  });
}

/** Facts that let others judge and repeat an audit. */
export function evidenceOf(
  data: ReportData,
  perClass: AuditJson["evidence"]["perClass"],
  figure: (found: Accuracy) => Figure,
): AuditJson["evidence"] {
  const { conclusion, plan, worst, subject } = data;
  const selfTest = selfTestFacts(subject.settings.provenance.selfTest);
  return {
    model: modelFacts(subject, conclusion.lines),
    data: dataFacts(subject, worst),
    threatModel: threatModelOf(plan, subject.opened.model, roundingSurvivors(worst)),
    selfTest,
    randomness: randomnessOf(plan, subject.settings.seed, drawsOf(data)),
    perClass,
    perClassMethod,
    baselines: baselineFigures(data, figure),
    statistics: statisticsOf(plan.players.model.randomized),
    notTested: notTestedOf(plan, selfTest),
    supports,
  };
}
