import type { Check } from "../check.js";
import { claimedAttack, strongest } from "./claim.js";
import { convergedInRestarts, convergedInSteps } from "./convergence.js";
import { gradients } from "./gradients.js";
import { otherGradients } from "./other-gradients.js";
import { predictions } from "./predictions.js";
import { lossConverged, silentSuccess } from "./progress-of-loss.js";
import { expectationOverDraws, knownDraw } from "./randomness.js";
import { securityCurve, unconstrained } from "./security-curve.js";
import { labelLeak, singleStep } from "./single-step.js";
import { transfer, twin } from "./transfer.js";
import { decisionBased, noiseSearch, scoreBased } from "./without-gradients.js";

/** The checklist, in the order of the report; a new check is an object in a file here and a line. */
export const checks: readonly Check[] = [
  predictions,
  claimedAttack,
  gradients,
  singleStep,
  labelLeak,
  convergedInSteps,
  convergedInRestarts,
  lossConverged,
  silentSuccess,
  securityCurve,
  unconstrained,
  otherGradients,
  expectationOverDraws,
  knownDraw,
  twin,
  transfer,
  scoreBased,
  decisionBased,
  noiseSearch,
  strongest,
];
