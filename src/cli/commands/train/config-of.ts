import { existsSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { entryAt, MissingFileError } from "../../../base/index.js";
import type { Dataset } from "../../../datasets/index.js";
import { type Architecture, type Defense, isHuggingFaceFolder, models } from "../../../models/index.js";
import {
  ownCode,
  presets,
  RunFolder,
  type TrainConfig,
  type TrainConfigInput,
} from "../../../training/index.js";
import { imagesFrom } from "../../frame/inputs/images-from.js";
import { defensesOf, isWeightsFile, looksLikePath } from "../../frame/inputs/input-options.js";
import {
  architectureFrom,
  architectureOfWeights,
  huggingFaceStart,
  type ModelChoice,
  ownModelFrom,
} from "../../frame/inputs/model-from.js";
import { kebabCase } from "../../frame/option-names.js";
import { precisionOf } from "../../frame/run-options.js";
import { shownPath } from "../../frame/shown-path.js";
import { asUsage, UsageError } from "../../frame/usage-error.js";
import { givenBeside } from "../../frame/words/command-text.js";
import { unfinishedError } from "../../frame/words/unfinished.js";
import { configOptions, type TrainOptions } from "./train-options.js";

/** Parts of a configuration that a model to train brings along. */
interface Start {
  readonly model: Architecture;
  readonly initialWeights?:
    | string
    | { readonly file: string; readonly key?: string; readonly prefix?: string };
  readonly data?: Dataset;
  readonly defenses?: readonly Defense[];
}

/** Refuses a text that means two models: an architecture, and a folder of this name. */
function checkMeaning(name: string): void {
  if (!existsSync(join(name, "config.json"))) return;
  throw new UsageError(
    `--model ${name}: an architecture, and a folder that holds a model: give ./${name} for the folder, or ` +
      `${name}() for the architecture`,
  );
}

/** Model to train: an architecture, or one that begins with the weights of a run or a file. */
async function startOf(text: string, choice: ModelChoice): Promise<Start> {
  const { key, prefix } = choice;
  if (isWeightsFile(text)) {
    const chosen = { ...(key === undefined ? {} : { key }), ...(prefix === undefined ? {} : { prefix }) };
    const model = await architectureOfWeights(text, choice);
    if (!existsSync(text)) throw new MissingFileError(`--model ${text}: there is no such file or folder`);
    return { model, initialWeights: { file: text, ...chosen } };
  }
  if (key !== undefined || prefix !== undefined)
    throw new UsageError("--key and --prefix choose weights in a file, which --model does not give");
  const isName = !looksLikePath(text) && models.has(text.split("(")[0]!.trim());
  if (isName) {
    checkMeaning(text);
    return { model: await architectureFrom(text, choice) };
  }
  if (isHuggingFaceFolder(text)) {
    const { model, weights } = huggingFaceStart(text, choice);
    return { model, initialWeights: { file: weights } };
  }
  if (existsSync(text) && statSync(text).isDirectory()) {
    const folder = RunFolder.open(text, {
      model: await ownModelFrom(choice.architecture, choice),
    });
    if (folder.result === undefined) throw unfinishedError(text);
    folder.checkWeights(folder.result);
    const { model, data, defenses } = folder.config;
    return { model, data, defenses, initialWeights: shownPath(join(text, "weights.safetensors")) };
  }
  if (!existsSync(text)) throw new MissingFileError(`--model ${text}: there is no such file or folder`);
  return { model: await architectureFrom(text, choice) };
}

/** Configuration that the options ask for: flags first, then the preset, then the defaults. */
export async function configOf(given: TrainOptions): Promise<TrainConfigInput> {
  const { preset, model, images, validationAttack, precision, device } = given;
  const data = await imagesFrom(images);
  const { architecture, exactGradients, normalize, key, prefix } = given;
  const choice = { architecture, images: data, exactGradients, normalize, key, prefix };
  const start = model === undefined ? {} : await startOf(model, choice);
  const flags = {
    ...start,
    data: data ?? ("data" in start ? start.data : undefined),
    defenses: defensesOf(given) ?? ("defenses" in start ? start.defenses : undefined),
    validationAttacks: validationAttack,
    ...Object.fromEntries(Object.entries(given).filter(([name]) => configOptions.includes(name))),
  };
  const chosen = Object.entries(flags).filter(([, value]) => value !== undefined);
  const config = { ...(preset === undefined ? {} : presets[preset].config), ...Object.fromEntries(chosen) };
  for (const [name, option, example] of [
    ["model", "model", "small"],
    ["data", "images", "mnist"],
  ] as const) {
    if (name in config) continue;
    throw new UsageError(
      `give --${option}, such as ${example}, or a --preset that says it (sqa list presets)`,
    );
  }
  return { ...(config as TrainConfigInput), precision: precisionOf(precision, device) };
}

/**
 * Options beside a run folder, whose configuration stands; `--architecture` and `--images` give own parts
 * again.
 */
const besideRun: readonly string[] = [
  "architecture",
  "images",
  "exactGradients",
  "normalize",
  "out",
  "runs",
  "threads",
  "device",
  "checkpointSeconds",
  "tensorboard",
  "standalone",
  "verbose",
  "json",
];

/** Run folder that a path leads to: a link's name is not the run's. */
export function runFolderAt(path: string): string {
  const isLink = entryAt(resolve(path))?.isSymbolicLink() === true;
  return isLink && existsSync(path) ? realpathSync(path) : path;
}

/** Configuration of a run to go on with. UsageError for options that would change it. */
export async function configOfRun(
  path: string,
  given: TrainOptions,
  defaults: Readonly<Record<string, unknown>>,
): Promise<TrainConfig> {
  const [other] = givenBeside(given, defaults, besideRun);
  if (other !== undefined) {
    throw new UsageError(
      `--${kebabCase(other[0])} cannot go with a run folder (${path}), whose configuration stands`,
    );
  }
  const data = await imagesFrom(given.images);
  const { config } = RunFolder.open(path, {
    model: await ownModelFrom(given.architecture, given),
    data,
  });
  if (data !== undefined && data.identity !== config.data.identity) {
    throw new UsageError(`--images ${given.images}: run ${path} is trained on ${config.data}`);
  }
  const named = asUsage(() => RunFolder.for(config, resolve(path, "..")).path);
  if (named === resolve(path)) return config;
  if (ownCode(config) !== undefined) {
    throw new Error(
      `run ${path}: your code that it began with has changed, or its folder was renamed: undo that to go ` +
        "on, or give its options in place of the folder to train anew",
    );
  }
  throw new Error(`run folder ${path} was renamed: rename it back to ${shownPath(named)}, then it can go on`);
}
