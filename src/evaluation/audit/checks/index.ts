import type { Check } from "../check.js";
import { adaptiveSteps } from "./adaptive-steps.js";
import { autoAttack } from "./autoattack.js";
import { claimedAttack } from "./claim.js";
import { convergedInRestarts, convergedInSteps } from "./convergence.js";
import { finite } from "./finite.js";
import { gradients } from "./gradients.js";
import { otherGradients } from "./other-gradients.js";
import { otherLosses } from "./other-losses.js";
import { predictions } from "./predictions.js";
import { lossConverged, silentSuccess } from "./progress-of-loss.js";
import { expectationOverDraws, knownDraw } from "./randomness.js";
import { rotations } from "./rotations.js";
import { securityCurve, unconstrained } from "./security-curve.js";
import { labelLeak, singleStep } from "./single-step.js";
import { stableGradients } from "./stable-gradients.js";
import { transfer, twin } from "./transfer.js";
import { decisionBased, noiseSearch, scoreBased } from "./without-gradients.js";

/** The checklist, in the order of the report; a new check is an object in a file here and a line. */
export const checks: readonly Check[] = [
  predictions,
  finite,
  claimedAttack,
  gradients,
  stableGradients,
  singleStep,
  labelLeak,
  convergedInSteps,
  convergedInRestarts,
  adaptiveSteps,
  lossConverged,
  silentSuccess,
  securityCurve,
  unconstrained,
  otherLosses,
  otherGradients,
  expectationOverDraws,
  knownDraw,
  twin,
  transfer,
  scoreBased,
  decisionBased,
  noiseSearch,
  autoAttack,
  rotations,
];
