import { setThreads } from "../../engine/index.js";
import { defineCommand } from "../frame/command.js";
import { modelForms } from "../frame/inputs/model-from.js";
import { UsageError } from "../frame/usage-error.js";
import { auditOptions } from "./audit/audit-options.js";
import { runAudit } from "./audit/run-audit.js";
import { auditSelfTest, refuseBesideSelfTest } from "./audit/self-test.js";

/** `sqa audit`: tells whether a model's robustness is real. */
export const auditCommand = defineCommand({
  name: "audit",
  summary: "tell whether a model's claimed robustness is real",
  description:
    "Run the checklist of Athalye et al., Carlini et al. and Pintor et al. on a model. The verdict is one " +
    "of claim holds, no fault found (without a claim), inconclusive, not robust, overstated, masked and " +
    "invalid. Writes audit.json, audit.html and the adversarial images; the same command resumes a " +
    "stopped audit.",
  operands: [
    {
      name: "model",
      description: modelForms,
      optional: true,
    },
  ],
  options: auditOptions,
  examples: [
    "sqa audit runs/NAME --budget quick",
    "sqa audit W.safetensors --architecture resnet18 --images cifar10 --epsilon 4/255",
    "sqa audit runs/NAME --epsilon 0.3 --claim 'fgsm(epsilon=0.3)' --surrogate runs/OTHER",
    "sqa audit runs/NAME --require 'worst >= 0.40 and clean >= 0.90'",
    "sqa audit runs/NAME --jobs 4",
    "sqa audit --self-test",
  ],
  run(given, context) {
    const [text] = context.operands;
    if (given.threads !== undefined) setThreads(given.threads);
    if (given.selfTest) {
      if (text !== undefined) throw new UsageError(`--self-test takes no model, given ${text}`);
      refuseBesideSelfTest(given, auditOptions.parse({}));
      return auditSelfTest({ ...given, signal: context.signal });
    }
    if (text === undefined) throw new UsageError("give a model, such as a run folder, or --self-test");
    return runAudit(given, text, context);
  },
});
