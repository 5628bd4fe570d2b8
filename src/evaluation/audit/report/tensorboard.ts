import { join } from "node:path";
import { attackLabel } from "../../../attacks/index.js";
import { TensorBoardWriter } from "../../../files/index.js";
import { grayLevels, imagePng } from "../../../report/index.js";
import { hasFailed, type TrialOutcome } from "../../../trials/index.js";
import { inBall } from "../conclude.js";
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

/**
 * Log of an audit for TensorBoard, in the folder `tb` beside its trials: the accuracy under each attack as it
 * ends, the lowest so far, and at the end the verdict and images clean, changed, and their difference.
 */
export class AuditLog {
  readonly #writer: TensorBoardWriter;
  readonly #plan: AuditPlan;
  #trials = 0;
  #lowest = 1;

  constructor(folder: string, plan: AuditPlan) {
    this.#writer = new TensorBoardWriter(join(folder, "tb"), 0);
    this.#plan = plan;
    const { norm, epsilon, budget, claim } = plan;
    const settings = { norm, epsilon, claim: claim.id, budget };
    const text = `\`\`\`json\n${JSON.stringify(settings, null, 2)}\n\`\`\``;
    this.#writer.add(0, [{ tag: "audit/settings", text }]);
    this.#writer.flush();
  }

  /** Logs the end of a trial; its number is the step. */
  trial(outcome: TrialOutcome): void {
    const step = ++this.#trials;
    if (hasFailed(outcome)) return;
    const { trial, answers } = outcome;
    const accuracy = answers.mean();
    const label = trial.attack === undefined ? "clean" : attackLabel(trial.attack);
    const values = [
      { tag: "audit/accuracy", scalar: accuracy },
      { tag: `accuracy under/${label}${trial.on === "model" ? "" : ` on ${trial.on}`}`, scalar: accuracy },
    ];
    if (inBall(this.#plan, trial)) {
      this.#lowest = Math.min(this.#lowest, accuracy);
      values.push({ tag: "audit/lowest so far", scalar: this.#lowest });
    }
    this.#writer.add(step, values);
    this.#writer.flush();
  }

  /** Logs the findings. */
  end({ worst, verdict, worstImages }: Findings): void {
    const shape = this.#plan.players.model.inputShape;
    const [channels, height, width] = shape;
    const step = this.#trials;
    this.#writer.add(step, [
      { tag: "audit/worst case", scalar: worst.accuracy },
      { tag: "audit/verdict", text: verdict.text },
    ]);
    const drawable = channels === 1 || channels === 3 ? worstImages.slice(0, shownImages) : [];
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
      this.#writer.add(step, values);
    }
    this.#writer.flush();
  }
}
