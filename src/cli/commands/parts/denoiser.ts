import * as z from "zod";
import { formatCall } from "../../../options/index.js";
import { percent } from "../../../report/index.js";
import { denoiserOptions, trainDenoiser } from "../../../training/index.js";
import { defineCommand } from "../../frame/command.js";
import { exitCode } from "../../frame/exit-code.js";
import { runOptions } from "../../frame/run-options.js";
import { importWords, quoted } from "../../frame/shown-path.js";
import { asUsage } from "../../frame/usage-error.js";
import { showPart } from "./show-part.js";

/** `sqa denoiser RUN`: trains the guided denoiser of a trained model. */
export const denoiserCommand = defineCommand({
  name: "denoiser",
  summary: "train a guided denoiser for the model of a run",
  description:
    "Train a U-Net that removes from images what an attack on the run's model added, for the option " +
    "denoiser of the defense guided-denoiser. The model's weights stay as they are. The same command " +
    "resumes a training that was stopped or killed; a finished one is not repeated. Prints the folder.",
  operands: [{ name: "run", description: "folder of a finished run" }],
  options: z.strictObject({ ...denoiserOptions, ...runOptions }),
  examples: ["sqa denoiser runs/NAME", "sqa denoiser runs/NAME --attack 'pgd(epsilon=0.2, steps=10)'"],
  async run({ runs, threads, ...given }, { operands: [run], signal, imports }) {
    const work = asUsage(() => trainDenoiser({ run: run!, ...given }, { runs, threads, signal }));
    await showPart(work, {
      measure: "accuracy under the attack on the model alone",
      shown: (accuracy) => `${percent(accuracy, 1)} %`,
      next: (denoiser) =>
        ["npx sqa evaluate", quoted(run!), "--defense", quoted(formatCall("guided-denoiser", { denoiser }))]
          .concat(importWords(imports))
          .join(" "),
    });
    return exitCode.done;
  },
});
