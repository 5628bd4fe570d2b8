import { join } from "node:path";
import { TensorBoardWriter } from "../../../files/index.js";
import { grayLevels, imagePng, isDrawable } from "../../../report/index.js";
import { hasFailed, type TrialOutcome, trialLabel } from "../../../trials/index.js";
import type { AuditPlan } from "../plan.js";
import type { WorstImage } from "../worst-images.js";

/** Images of a report that TensorBoard shows. */
const shownImages = 8;

/** Findings that are logged at the end. */
interface Findings {
  readonly worst: { readonly accuracy: number };
  readonly verdict: { readonly text: string };
  readonly worstImages: readonly WorstImage[];
}

/** Attack that has ended, as a log shows it. */
export interface LoggedAttack {
  readonly label: string;
  readonly accuracy: number;
  /** Worst case over the attacks so far. */
  readonly worst: number | undefined;
}

/** Log of accuracies under attacks for TensorBoard, as they end: the number of an attack is its step. */
export class AttackLog {
  readonly writer: TensorBoardWriter;
  #attacks = 0;

  constructor(folder: string) {
    this.writer = new TensorBoardWriter(folder, 0);
  }

  get step(): number {
    return this.#attacks;
  }

  /** Logs the end of an attack; undefined for one that ended in an error. */
  add(attack: LoggedAttack | undefined): void {
    const step = ++this.#attacks;
    if (attack === undefined) return;
    const { label, accuracy, worst } = attack;
    const values = [
      { tag: "audit/accuracy", scalar: accuracy },
      { tag: `accuracy under/${label}`, scalar: accuracy },
    ];
    if (worst !== undefined) values.push({ tag: "audit/worst case so far", scalar: worst });
    this.writer.add(step, values);
    this.writer.flush();
  }
}

/**
 * Log of an audit for TensorBoard, in the folder `tb` beside its trials: the accuracy under each attack as it
 * ends, the worst case so far, and at the end the verdict and images clean, changed, and their difference.
 */
export class AuditLog {
  readonly #log: AttackLog;
  readonly #plan: AuditPlan;

  constructor(folder: string, plan: AuditPlan) {
    this.#log = new AttackLog(join(folder, "tb"));
    this.#plan = plan;
    const { norm, epsilon, budget, claim } = plan;
    const settings = { norm, epsilon, claim: claim.id, budget };
    const text = `\`\`\`json\n${JSON.stringify(settings, null, 2)}\n\`\`\``;
    this.#log.writer.add(0, [{ tag: "audit/settings", text }]);
    this.#log.writer.flush();
  }

  /** Logs the end of a trial, with the worst case so far. */
  trial(outcome: TrialOutcome, worst: number | undefined): void {
    const label = trialLabel(outcome.trial);
    this.#log.add(hasFailed(outcome) ? undefined : { label, accuracy: outcome.answers.mean(), worst });
  }

  /** Logs the findings. */
  end({ worst, verdict, worstImages }: Findings): void {
    const shape = this.#plan.players.model.inputShape;
    const [, height, width] = shape;
    const { step, writer } = this.#log;
    writer.add(step, [
      { tag: "audit/worst case", scalar: worst.accuracy },
      { tag: "audit/verdict", text: verdict.text },
    ]);
    const drawable = isDrawable(shape) ? worstImages.slice(0, shownImages) : [];
    for (const { position, label, predicted, clean, adversarial } of drawable) {
      const difference = adversarial.map((pixel, i) =>
        Math.min(1, Math.max(0, 0.5 + 10 * (pixel - clean[i]!))),
      );
      const forms = { clean, adversarial, "difference x 10": difference };
      const values = Object.entries(forms).map(([form, pixels]) => ({
        tag: `worst images/${position}: ${label} to ${predicted}/${form}`,
        png: imagePng(grayLevels(pixels), shape),
        height,
        width,
      }));
      writer.add(step, values);
    }
    writer.flush();
  }
}
