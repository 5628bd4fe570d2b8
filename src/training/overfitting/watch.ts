import { shareText } from "../../report/index.js";
import type { TrainEvent } from "../events.js";
import type { Standing } from "../run/standing.js";
import { afterCheck, afterRollBack, afterSignals } from "./guard-state.js";
import type { Signals } from "./signals.js";

/**
 * Work of a guard after a step. The signals of the step's batch, where they were measured, call for a check
 * by an attack when they look suspicious; so does the guard's interval. A check that finds the network
 * overfitted brings back the last good one, with its optimizer and average, and makes the method's step
 * smaller. The count of steps and the learning rate go on: a run's length is as it was planned, and every
 * step has noise of its own.
 */
export function* guardStep(run: Standing, signals: Signals | undefined): Generator<TrainEvent> {
  const { session, progress } = run;
  const rules = session.guardRules;
  if (rules === undefined || progress.guard === undefined) return;
  const measured = signals === undefined ? undefined : afterSignals(progress.guard, signals);
  if (measured !== undefined) progress.guard = measured.state;
  const { step } = progress;
  if (step % rules.interval !== 0 && measured?.suspicious !== true) return;
  const { alignment, lossFell } = progress.guard;
  // No attack could run on a model that answers with NaN.
  if (!session.ranks.fromFirst(() => session.outputsFinite("guard")))
    yield* run.fail(step, "the model's output is not finite");
  const check = session.ranks.fromFirst(() => session.guardCheck(step));
  const { state, verdict } = afterCheck(progress.guard, check);
  progress.guard = state;
  const { clean, weak: fgsm, strong: pgd } = check;
  const means = { alignment: alignment ?? 0, lossFell: lossFell ?? 0 };
  yield run.logged({ type: "guard", epoch: run.epoch, step, ...means, clean, fgsm, pgd, verdict });
  if (verdict === "good") {
    session.copies.keepGood();
    progress.guard = { ...state, goodStep: step, goodUpdates: session.optimizer.steps };
  } else if (verdict === "overfitted" && state.rollBacks < rules.limit) {
    const [weak, strong] = [shareText(fgsm), shareText(pgd)];
    yield run.raise(
      "catastrophic-overfitting",
      step,
      `catastrophic overfitting: ${weak} under FGSM, but ${strong} under PGD with ${rules.steps} steps ` +
        "of held-out images",
    );
    session.copies.rollBack(state.goodUpdates);
    progress.guard = afterRollBack(state, rules);
    const { goodStep: to, stepScale } = progress.guard;
    yield run.logged({ type: "roll-back", epoch: run.epoch, step, to, stepScale });
  }
}
