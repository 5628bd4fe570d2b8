import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { isModuleFile, isObject, loadUserModule } from "../../../base/index.js";
import type { Dataset } from "../../../datasets/index.js";
import {
  type Architecture,
  type Defense,
  exportedBy,
  huggingFaceModel,
  isHuggingFaceFolder,
  type Model,
  models,
} from "../../../models/index.js";
import { modelFromRun, modelFromWeights, type OpenedRun } from "../../../training/index.js";
import { note } from "../output.js";
import { asUsage, UsageError } from "../usage-error.js";
import { exportOf } from "./images-from.js";
import { isWeightsFile, looksLikePath } from "./input-options.js";

/** Options that go with a model argument. */
export interface ModelChoice {
  /** Architecture of weights, or the own model of a run, as text. */
  readonly architecture?: string | undefined;
  /** Images that weights are for: their shape and classes complete the architecture. */
  readonly images?: Dataset | undefined;
  /** Defenses in place of the run's; none for weights and modules by default. */
  readonly defenses?: readonly Defense[] | undefined;
  /** Place of the weights in a checkpoint, and beginning of their names. */
  readonly key?: string | undefined;
  readonly prefix?: string | undefined;
}

/** Model that an argument stands for. */
export interface OpenedModel {
  readonly model: Model;
  /** Name in tables: that of the run folder or the file. */
  readonly name: string;
  /** Run that it comes from. */
  readonly run?: OpenedRun;
  /** File of its weights, or module file that makes it. */
  readonly file?: string;
}

const accepted =
  "give a run folder, weights (.safetensors, .pt, .pth) with --architecture, or a module file that " +
  "exports model";

const isArchitecture = (given: unknown): given is Architecture =>
  isObject(given) && typeof given.build === "function" && "inputShape" in given;

/** Refuses files that no command reads, each with the way to go on. */
export function refuseUnreadable(text: string): void {
  if (/\.(pt2|onnx)$/i.test(text)) {
    throw new UsageError(`${text}: exported models (.pt2, .onnx) are not read; ${accepted}`);
  }
}

/** Architecture that a text stands for: a name with options, or a module file that exports `model`. */
export async function architectureFrom(text: string): Promise<Architecture> {
  refuseUnreadable(text);
  if (!isModuleFile(text)) return asUsage(() => models.parse(text));
  const module = await loadUserModule(text);
  return exportedBy(exportOf(module, "model", isArchitecture, "modelOf"), text, module.sha256);
}

/** Architecture of weights, completed by the images that they are for. */
export async function architectureOfWeights(file: string, choice: ModelChoice): Promise<Architecture> {
  const { architecture, images } = choice;
  if (architecture === undefined) {
    throw new UsageError(`${file}: say what its weights are of: --architecture resnet18, or a module file`);
  }
  const of = await architectureFrom(architecture);
  return images === undefined ? of : asUsage(() => of.fittedTo(images, `data set ${images}`));
}

/** Own model of a run, where its text is given. */
export async function ownModelFrom(text: string | undefined): Promise<Architecture | undefined> {
  return text === undefined ? undefined : architectureFrom(text);
}

/** Model with the weights of a file; what was passed over is said. */
function withWeights(file: string, architecture: Architecture, choice: ModelChoice): Model {
  const { key, prefix, defenses = [] } = choice;
  const remark = (text: string) => note(`${file}: ${text}`);
  return asUsage(() => modelFromWeights(file, architecture, { defenses, key, prefix, remark }));
}

/**
 * Model with weights that a text stands for: a run folder, a file of weights, a folder of Hugging Face's or a
 * module file.
 *
 * @throws UsageError for a text that is none, Error or FileFormatError that names the file at fault
 */
export async function openModel(text: string, choice: ModelChoice = {}): Promise<OpenedModel> {
  const { defenses } = choice;
  refuseUnreadable(text);
  if (isModuleFile(text)) {
    const architecture = await architectureFrom(text);
    const model = asUsage(() => architecture.build({ seed: 0, defenses: defenses ?? [] }));
    return { model, name: model.name, file: text };
  }
  if (isWeightsFile(text)) {
    const architecture = await architectureOfWeights(text, choice);
    return { model: withWeights(text, architecture, choice), name: basename(text), file: text };
  }
  if (isHuggingFaceFolder(text)) {
    const { architecture, weights } = huggingFaceModel(text);
    if (choice.architecture !== undefined) {
      throw new UsageError(`--architecture ${choice.architecture}: ${text} knows its own, ${architecture}`);
    }
    note(`${text}: ${architecture}, as its config.json says`);
    return {
      model: withWeights(weights, architecture, choice),
      name: basename(resolve(text)),
      file: weights,
    };
  }
  if (!existsSync(text)) {
    const isName = !looksLikePath(text) && models.has(text.split("(")[0]!);
    if (isName) throw new UsageError(`${text} is an architecture, which has no weights: ${accepted}`);
    throw new Error(`${text} does not exist: ${accepted}`);
  }
  const own = await ownModelFrom(choice.architecture);
  const run = asUsage(() => modelFromRun(text, { model: own, defenses }));
  if (own !== undefined && run.config.model.own === undefined) {
    throw new UsageError(
      `--architecture ${choice.architecture}: run ${text} knows its own, ${run.config.model}`,
    );
  }
  return { model: run.model, name: basename(resolve(text)), run };
}
