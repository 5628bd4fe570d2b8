import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { isModuleFile, isObject, loadUserModule, MissingFileError } from "../../../base/index.js";
import type { Dataset } from "../../../datasets/index.js";
import {
  type Architecture,
  type Defense,
  exportedBy,
  type FileModel,
  huggingFaceModel,
  huggingFaceOnnx,
  isGraphFile,
  isHuggingFaceFolder,
  type Model,
  type ModelFromFileOptions,
  modelFromFile,
  models,
  statisticsOf,
} from "../../../models/index.js";
import { modelFromRun, modelFromWeights, type OpenedRun } from "../../../training/index.js";
import { sayNote } from "../look.js";
import { note } from "../output.js";
import { asUsage, UsageError } from "../usage-error.js";
import { checkFits, exportOf } from "./images-from.js";
import { isWeightsFile, looksLikePath } from "./input-options.js";

/** Options of an exported model. */
export interface ExportedChoice extends Pick<ModelFromFileOptions, "exactGradients" | "inputShape"> {
  /** Mean and deviation as `--normalize` has them, such as `imagenet`. */
  readonly normalize?: string | undefined;
}

/** Options that go with a model argument. */
export interface ModelChoice extends ExportedChoice {
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

/** Texts that stand for a model, in help and messages. */
export const modelForms =
  "run folder, exported model (.pt2, .onnx), weights (.safetensors, .pt, .pth) with --architecture, " +
  "Hugging Face or timm folder, or module file that exports model";
const accepted = `give a ${modelForms}`;

const isArchitecture = (given: unknown): given is Architecture =>
  isObject(given) && typeof given.build === "function" && "inputShape" in given;

/** Model of an exported file, whose findings are said. */
async function exportedModel(text: string, choice: ExportedChoice): Promise<FileModel> {
  const { exactGradients, inputShape } = choice;
  const normalize = choice.normalize === undefined ? undefined : statisticsOf(choice.normalize);
  const model = await modelFromFile(text, { exactGradients, inputShape, normalize }).catch((error) =>
    asUsage(() => {
      if (error instanceof Error) error.message = error.message.replace(/^normalize\b/, "--normalize");
      throw error;
    }),
  );
  for (const finding of model.notes) {
    if (model.warnings.includes(finding)) sayNote(`${text}: ${finding}`);
    else note(`${text}: ${finding}`);
  }
  return model;
}

/** Throws a UsageError for options of exported models beside a model that is none. */
function refuseOfExported(
  text: string,
  instead: string,
  { exactGradients, normalize }: ExportedChoice,
): void {
  const only = "is for exported models (.pt2, .onnx)";
  if (normalize !== undefined) throw new UsageError(`--normalize ${only}; ${instead}`);
  if (exactGradients === true) throw new UsageError(`--exact-gradients ${only}; ${text} has exact gradients`);
}

/**
 * Architecture that a text stands for: a name with options, an exported model, or a module file that exports
 * `model`.
 */
export async function architectureFrom(text: string, choice: ExportedChoice = {}): Promise<Architecture> {
  if (isGraphFile(text)) return exportedModel(text, choice);
  refuseOfExported(text, `give ${text} its options mean and std`, choice);
  if (!isModuleFile(text)) return asUsage(() => models.parse(text));
  const module = await loadUserModule(text);
  return exportedBy(exportOf(module, "model", isArchitecture, "modelOf"), text, module.sha256);
}

/** Architecture of weights, completed by the images that they are for. */
export async function architectureOfWeights(file: string, choice: ModelChoice): Promise<Architecture> {
  const { architecture, images } = choice;
  if (architecture === undefined) {
    throw new UsageError(
      `${file}: say what its weights are of: give --architecture a name such as resnet18, an exported ` +
        "model (.pt2, .onnx) or a module file; or export your network of PyTorch, then its file needs no " +
        "architecture: torch.export.save(torch.export.export(model, (images,)), 'model.pt2')",
    );
  }
  const of = await architectureFrom(architecture, choice);
  return images === undefined ? of : asUsage(() => of.fittedTo(images, `data set ${images}`));
}

/** Own model of a run, where its text is given. */
export async function ownModelFrom(
  text: string | undefined,
  choice: ExportedChoice = {},
): Promise<Architecture | undefined> {
  return text === undefined ? undefined : architectureFrom(text, choice);
}

/** Model with the weights of a file; what was passed over is said. */
function withWeights(file: string, architecture: Architecture, choice: ModelChoice): Model {
  const { key, prefix, defenses = [] } = choice;
  const remark = (text: string) => note(`${file}: ${text}`);
  return asUsage(() => modelFromWeights(file, architecture, { defenses, key, prefix, remark }));
}

/** Network of a folder of Hugging Face's, completed by the images that it is for, and its file of weights. */
export function huggingFaceStart(folder: string, choice: ModelChoice) {
  const { architecture, images } = choice;
  const { architecture: own, weights } = huggingFaceModel(folder);
  refuseOfExported(folder, `${folder} tells its own mean and deviation`, choice);
  if (architecture !== undefined)
    throw new UsageError(`--architecture ${architecture}: ${folder} knows its own, ${own}`);
  note(`${folder}: ${own}, as its config.json says`);
  const model = images === undefined ? own : asUsage(() => own.fittedTo(images, `data set ${images}`));
  return { model, weights };
}

/** Model of the ONNX file in a folder of Hugging Face's, whose images are normalized as the folder tells. */
async function openOnnxOf(
  folder: string,
  { file, normalize, inputShape }: NonNullable<ReturnType<typeof huggingFaceOnnx>>,
  choice: ModelChoice,
): Promise<OpenedModel> {
  const told = normalize === undefined ? undefined : `${normalize.mean}/${normalize.std}`;
  const statistics = choice.normalize ?? told;
  const by =
    statistics === undefined
      ? "without --normalize: the folder tells no mean and deviation"
      : `with --normalize ${statistics}`;
  note(`${folder}: its model is ${file}, opened ${by}`);
  const opened = await openModel(file, { ...choice, inputShape, normalize: statistics });
  return { ...opened, name: basename(resolve(folder)) };
}

/**
 * Model with weights that a text stands for: a run folder, an exported model, a file of weights, a folder of
 * Hugging Face's or a module file.
 *
 * @throws UsageError for a text that is none, Error or FileFormatError that names the file at fault
 */
export async function openModel(text: string, choice: ModelChoice = {}): Promise<OpenedModel> {
  const { defenses } = choice;
  if (isModuleFile(text) || isGraphFile(text)) {
    const architecture = await architectureFrom(text, choice);
    const model = asUsage(() => architecture.build({ seed: 0, defenses: defenses ?? [] }));
    return { model, name: model.name, file: text };
  }
  if (isWeightsFile(text)) {
    const architecture = await architectureOfWeights(text, choice);
    return { model: withWeights(text, architecture, choice), name: basename(text), file: text };
  }
  if (isHuggingFaceFolder(text)) {
    const onnx = huggingFaceOnnx(text);
    if (onnx !== undefined) return openOnnxOf(text, onnx, choice);
    const { model: architecture, weights } = huggingFaceStart(text, { ...choice, images: undefined });
    return {
      model: withWeights(weights, architecture, choice),
      name: basename(resolve(text)),
      file: weights,
    };
  }
  if (!existsSync(text)) {
    const isName = !looksLikePath(text) && models.has(text.split("(")[0]!);
    if (isName) throw new UsageError(`${text} is an architecture, which has no weights: ${accepted}`);
    throw new MissingFileError(`${text} does not exist: ${accepted}`);
  }
  const own = await ownModelFrom(choice.architecture, choice);
  const run = asUsage(() => modelFromRun(text, { model: own, defenses }));
  // Fitted to the run's images it is another object, of the same hash.
  if (own !== undefined && run.config.model.own?.hash !== own.own?.hash) {
    throw new UsageError(
      `--architecture ${choice.architecture}: run ${text} knows its own, ${run.config.model}`,
    );
  }
  return { model: run.model, name: basename(resolve(text)), run };
}

/**
 * Images for a model: those given, else those of the run that it comes from.
 *
 * @param text the words that stand for the model, for an error
 * @throws UsageError where there are none, or where they do not fit the model
 */
export function imagesFor({ model, run }: OpenedModel, text: string, given: Dataset | undefined): Dataset {
  const images = given ?? run?.config.data;
  if (images === undefined)
    throw new UsageError(`give --images, such as mnist: ${text} is no run, which knows its own`);
  checkFits(model, images, run !== undefined);
  return images;
}
