import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFileAtomic } from "../base/index.js";
import type { Split } from "../datasets/index.js";
import type { SqaOptions } from "../defenses/index.js";
import { versions } from "../engine/index.js";
import {
  type Audit,
  type AuditPlan,
  attackOf,
  batchImages,
  roundingSurvivors,
  type TrialStore,
  type WorstImage,
  worstImages,
} from "../evaluation/audit/index.js";
import { writeSafetensors } from "../files/index.js";
import { grayLevels, imagePng } from "../report/image-png.js";
import { majorityOf } from "../trials/answers.js";
import { auditPage } from "./audit-page.js";

/** What an audit's report is made of. */
export interface AuditRecord {
  readonly audit: Audit;
  readonly plan: AuditPlan;
  readonly split: Split;
  readonly store: TrialStore;
  /** What was audited, for headings. */
  readonly name: string;
  readonly network: string;
  readonly dataset: string;
  /** Layers behind which SQA stands, each with its options; null where there is none. */
  readonly sqa: Readonly<Record<string, SqaOptions>> | null;
  /** That of all noise, as it was given. */
  readonly seed: number;
}

/** The files of a report. */
export interface AuditFiles {
  readonly json: string;
  readonly html: string;
  /** The folder of worst images, as safetensors and as 8-bit PNG. */
  readonly images: string;
}

/** An audit's numbers as JSON. */
function auditJson(record: AuditRecord, worst: readonly WorstImage[]): object {
  const { audit, plan, name, network, dataset, sqa, seed } = record;
  const { libtorch, cpuCapability, kernels } = versions();
  return {
    audited: name,
    network,
    dataset,
    split: "test",
    sqa,
    seed,
    batchSize: batchImages,
    transfers: Object.keys(plan.subject.transfers ?? {}),
    verdict: audit.verdict,
    norm: plan.norm,
    epsilon: plan.epsilon,
    claimedBy: attackOf(plan.claim)!.label,
    budget: plan.budget,
    images: audit.images,
    clean: audit.clean,
    claim: audit.claim,
    worst: audit.worst,
    ...(audit.majority === undefined ? {} : { worstMajority: audit.majority, worstEveryDraw: audit.everyDraw }),
    survivesRounding: roundingSurvivors(worst),
    checklist: audit.lines,
    curves: audit.curves,
    convergence: audit.convergence,
    trials: audit.trials.map(({ label, answers, passes, seconds, trial, stops }) => ({
      attack: label,
      attacked: trial.on,
      shownTo: trial.shownTo,
      accuracy: answers.mean(),
      majority: majorityOf(answers).accuracy,
      draws: answers.draws,
      passes,
      seconds,
      ...(stops.length === 0 ? {} : { stoppedBy: stops[0]!.message }),
    })),
    perImage: worst.map(({ position, label, trial, correct, correctRounded }) => ({
      position,
      label,
      brokenBy: correct < 1 ? trial.label : null,
      norm: trial.norm,
      length: trial.lengths[position],
      passes: trial.passes,
      successRate: 1 - correct,
      successRateRounded: 1 - correctRounded,
    })),
    measuredOn: { libtorch, cpuCapability, kernels, node: process.version },
  };
}

/** Writes audit.json, audit.html and the worst images into a folder, in place of an earlier report's; each file is replaced atomically. */
export async function writeAuditFiles(folder: string, record: AuditRecord): Promise<AuditFiles> {
  const { plan, audit, split, store } = record;
  const shape = plan.subject.model.inputShape;
  const worst = worstImages(plan, audit, split, store);
  const images = join(folder, "images");
  makeFolder(images);
  const data = Float32Array.from(worst.flatMap(({ adversarial }) => [...adversarial]));
  const labels = BigInt64Array.from(worst, ({ label }) => BigInt(label));
  writeSafetensors(join(images, "worst.safetensors"), [
    ["images", { dtype: "float32", shape: [worst.length, ...shape], data }],
    ["labels", { dtype: "int64", shape: [worst.length], data: labels }],
  ]);
  const nameOf = ({ position }: WorstImage) => `${String(position).padStart(5, "0")}.png`;
  for (const image of worst) {
    writeFileAtomic(join(images, nameOf(image)), imagePng(grayLevels(image.adversarial), shape));
  }
  // An earlier report in this folder may have been of more images.
  const names = new Set(worst.map(nameOf));
  for (const name of readdirSync(images)) {
    if (/^\d{5,}\.png$/.test(name) && !names.has(name)) rmSync(join(images, name));
  }
  const files = { json: join(folder, "audit.json"), html: join(folder, "audit.html"), images };
  writeFileAtomic(files.json, `${JSON.stringify(auditJson(record, worst), null, 2)}\n`);
  writeFileAtomic(files.html, await auditPage(record, worst));
  return files;
}
