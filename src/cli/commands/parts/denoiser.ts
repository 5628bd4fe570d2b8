import * as z from "zod";
import { formatCall } from "../../../options/index.js";
import { percent } from "../../../report/index.js";
import { denoiserOptions, RunFolder, trainDenoiser } from "../../../training/index.js";
import { defineCommand } from "../../frame/command.js";
import { exitCode } from "../../frame/exit-code.js";
import { imagesFrom } from "../../frame/inputs/images-from.js";
import { architectureOption, imagesOption } from "../../frame/inputs/input-options.js";
import { ownModelFrom } from "../../frame/inputs/model-from.js";
import { runOptions } from "../../frame/run-options.js";
import { importWords, quoted } from "../../frame/shown-path.js";
import { asUsage } from "../../frame/usage-error.js";
import { noteUnusualRadius } from "../../frame/words/usual-radius.js";
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
  options: z.strictObject({
    architecture: architectureOption.optional().describe("architecture of a run's own model"),
    images: imagesOption.optional().describe("a run's own images"),
    ...denoiserOptions,
    ...runOptions,
  }),
  examples: ["sqa denoiser runs/NAME", "sqa denoiser runs/NAME --attack 'pgd(epsilon=0.2, steps=10)'"],
  async run({ runs, threads, architecture, images, ...given }, { operands: [run], signal, imports }) {
    const model = await ownModelFrom(architecture);
    const data = await imagesFrom(images);
    const config = { run: run!, model, data, ...given };
    const work = asUsage(() => trainDenoiser(config, { runs, threads, signal }));
    if (given.attack !== undefined)
      noteUnusualRadius([given.attack], RunFolder.open(run!, { model, data }).config.data);
    const again = [
      ...(architecture === undefined ? [] : ["--architecture", quoted(architecture)]),
      ...(images === undefined ? [] : ["--images", quoted(images)]),
    ];
    await showPart(work, {
      measure: "accuracy under the attack on the model alone",
      shown: (accuracy) => `${percent(accuracy, 1)} %`,
      next: (denoiser) =>
        ["npx sqa evaluate", quoted(run!), "--defense", quoted(formatCall("guided-denoiser", { denoiser }))]
          .concat(again, importWords(imports))
          .join(" "),
    });
    return exitCode.done;
  },
});
