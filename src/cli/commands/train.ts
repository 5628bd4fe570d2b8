import { dirname, resolve } from "node:path";
import { isModuleFile } from "../../base/index.js";
import { isGraphFile } from "../../models/index.js";
import { train, trainConfig } from "../../training/index.js";
import { defineCommand } from "../frame/command.js";
import { exitCode } from "../frame/exit-code.js";
import { prepareWithBar } from "../frame/inputs/images-from.js";
import { importWords, quoted, shownPath } from "../frame/shown-path.js";
import { asUsage, usageUntilBegun } from "../frame/usage-error.js";
import { noteUnusualRadius } from "../frame/words/usual-radius.js";
import { configOf, configOfRun, runFolderAt } from "./train/config-of.js";
import { quietBesideFirst, ranksOf } from "./train/ranks.js";
import { printEvents, showTraining } from "./train/show-training.js";
import { type TrainOptions, trainOptions } from "./train/train-options.js";
import { checkOut, writeHardened } from "./train/write-hardened.js";

/** A run folder as an argument, with what opens it: module files, and images that were given beside it. */
function runArgument(run: string, { path, ...given }: Given, imports: readonly string[]): string[] {
  const { model, architecture, images, exactGradients, normalize } = given;
  const words = [quoted(shownPath(run))];
  const own = [architecture, model].find(
    (text) => text !== undefined && (isModuleFile(text) || isGraphFile(text)),
  );
  if (own !== undefined) words.push("--architecture", quoted(own));
  if (normalize !== undefined) words.push("--normalize", normalize);
  if (exactGradients === true) words.push("--exact-gradients");
  const isNeeded = images !== undefined && (path !== undefined || isModuleFile(images));
  if (isNeeded) words.push("--images", quoted(images));
  words.push(...importWords(imports));
  return words;
}

/** Options of a call, and the run folder that was given. */
type Given = TrainOptions & { readonly path: string | undefined };

/** Command that goes on with a run, or shows that it is finished. */
function sameCommand(
  run: string,
  given: Given,
  imports: readonly string[],
  launcher: readonly string[],
): string {
  const { threads, device } = given;
  const words = [...launcher, "npx sqa train", ...runArgument(run, given, imports)];
  if (threads !== undefined) words.push("--threads", String(threads));
  if (device !== "cpu") words.push("--device", device);
  return words.join(" ");
}

/** `sqa train`: trains a model and leaves a run folder. */
export const trainCommand = defineCommand({
  name: "train",
  summary: "train a model",
  description:
    "Train a model, and show its accuracy under attack after each epoch. The same command resumes a run " +
    "that was stopped or killed; a finished run is not repeated. Prints the run's folder.",
  operands: [{ name: "run", description: "run folder to resume, with its own options", optional: true }],
  options: trainOptions,
  fileKeys: { data: "images", defenses: "defense", validationAttacks: "validationAttack" },
  examples: [
    "sqa train --preset mnist-short --sqa",
    "sqa train --model resnet18 --images cifar10 --method 'n-fgsm(epsilon=8/255)'",
    "sqa train --model ./my-net.mjs --images ./my-images.mjs --defense 'sqa(relu1=1)' --method " +
      "'fgsm(epsilon=8/255)'",
    "sqa train --model runs/NAME --method 'pgd(epsilon=0.3, steps=7)' --epochs 2",
    "sqa train --model model.pt2 --images cifar10 --method 'fgsm(epsilon=4/255)' --out hardened.pt2",
    "sqa train runs/NAME",
  ],
  async run(given, { operands: [operand], signal, imports }) {
    const path = operand === undefined ? undefined : runFolderAt(operand);
    const { ranks, threads, device, launcher } = ranksOf(given);
    return quietBesideFirst(ranks, async () => {
      const { checkpointSeconds, tensorboard } = given;
      const config =
        path === undefined ? await configOf(given) : await configOfRun(path, given, trainOptions.parse({}));
      checkOut(given.out, config);
      const runs = path === undefined ? given.runs : dirname(resolve(path));
      const checked = asUsage(() => trainConfig(config));
      noteUnusualRadius([checked.method, ...checked.validationAttacks], checked.data);
      await prepareWithBar(checked.data.train, checked.limit ?? undefined, signal);
      const manner = { runs, threads, device, checkpointSeconds, tensorboard, signal, ranks };
      const work = asUsage(() => train(config, manner));
      const events = usageUntilBegun(work);
      const last = await (given.json
        ? printEvents(events)
        : showTraining(events, {
            verbose: given.verbose,
            goOn: (run) => sameCommand(run, { ...given, path }, imports, launcher),
            next: (run) => `npx sqa evaluate ${runArgument(run, { ...given, path }, imports).join(" ")}`,
          }));
      // Whoever was stopped knows the code; a signal may have reached another rank alone.
      if (last === "stopped" && !signal.aborted) return exitCode.stopped;
      if (given.out !== undefined && ranks.isFirst) writeHardened(given.out, await work, config);
      return exitCode.done;
    });
  },
});
