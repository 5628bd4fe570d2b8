import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { checkKind, FileFormatError, isObject, MissingFileError } from "../../base/index.js";
import { type DefenseText, defenses } from "../../defenses/index.js";
import { type Architecture, type Defense, type Model, type ModelText, models } from "../../models/index.js";
import { type Module, notFiniteWeight } from "../../nn/index.js";
import type { TrainConfig } from "../config.js";
import { lastCheckpoint, loadCheckpointWeights } from "./checkpoint.js";
import { RunFolder } from "./run-folder.js";
import type { OwnParts } from "./stored-config.js";
import { type LoadOptions, loadWeights } from "./weights-file.js";

/** Model of a run. */
export interface OpenedRun {
  readonly model: Model;
  readonly path: string;
  readonly config: TrainConfig;
  readonly finished: boolean;
  /** Training steps behind the weights; undefined for a finished run. */
  readonly steps?: number;
}

function checkFile(path: string): void {
  checkKind("path", path, "the path of a file of weights", typeof path === "string");
  if (!existsSync(path)) throw new MissingFileError(`weights file ${path} does not exist`);
  if (!statSync(path).isDirectory()) return;
  const hint = existsSync(join(path, "config.json")) ? "; it is a run folder: give it as the model" : "";
  throw new Error(`weights file ${path} is a folder${hint}`);
}

/** Throws a FileFormatError for weights that are no numbers: their answers would look like some. */
function checkFinite(path: string, module: Module): void {
  const broken = notFiniteWeight(module);
  if (broken === undefined) return;
  throw new FileFormatError(`${path}: weight "${broken}" holds NaN or infinity: the model is broken`);
}

function defensesOf(given: readonly (Defense | string)[] | undefined): Defense[] | undefined {
  if (given === undefined) return undefined;
  checkKind("defenses", given, "a list of defenses such as [sqa()]", Array.isArray(given));
  return given.map((defense) => defenses.of(defense));
}

/**
 * Model with the weights of a file: safetensors, or a PyTorch checkpoint, of which nothing is executed.
 *
 * @param options `key` and `prefix` choose the weights in the file; `remark` is told what was passed over
 * @throws Error or FileFormatError that names the file, and the weight that does not fit
 * @example
 * modelFromWeights("weights.safetensors", resnet18({ classes: 100 }))
 * modelFromWeights("checkpoint.pth.tar", "resnet18(classes=100)", { key: "state_dict" })
 */
export function modelFromWeights(
  path: string,
  architecture: Architecture | ModelText | (string & {}),
  options: LoadOptions & {
    readonly defenses?: readonly (Defense | DefenseText | (string & {}))[] | undefined;
  } = {},
): Model {
  checkFile(path);
  const buildable = isObject(architecture) && typeof architecture.build === "function";
  const own = buildable
    ? (architecture as unknown as Architecture)
    : models.of(architecture as string, "architecture");
  const model = own.build({ seed: 0, defenses: defensesOf(options.defenses) ?? [] });
  loadWeights(path, model.module, { key: options.key, prefix: options.prefix, remark: options.remark });
  checkFinite(path, model.module);
  return model;
}

/**
 * Model of a run folder, as its configuration says. Of an unfinished run it is that of the last checkpoint.
 *
 * @param options `model` and `data` of the user's own that the run was trained with; `defenses` in place of
 *   the run's
 * @throws Error when there is no checkpoint yet, or a model of the user's own must be given again
 * @example
 * const { model } = modelFromRun("runs/mnist-small-sqa-fgsm-seed0-0a1b2c3d");
 *
 */
export function modelFromRun(
  path: string,
  options: OwnParts & {
    readonly defenses?: readonly (Defense | DefenseText | (string & {}))[] | undefined;
  } = {},
): OpenedRun {
  checkKind("path", path, "the path of a run folder", typeof path === "string");
  const folder = RunFolder.open(path, options);
  const { config } = folder;
  const model = config.model.build({
    seed: config.seed,
    defenses: defensesOf(options.defenses) ?? config.defenses,
  });
  const { result } = folder;
  const finished = result !== undefined;
  if (finished) {
    folder.checkWeights(result);
    loadWeights(folder.weights, model.module);
    checkFinite(folder.weights, model.module);
    return { model, path: folder.path, config, finished };
  }
  const checkpoint = lastCheckpoint(folder.checkpoint);
  if (checkpoint === undefined) throw new Error(`run ${path} has not reached its first checkpoint yet`);
  const steps = loadCheckpointWeights(checkpoint, model.module, folder.identity);
  checkFinite(checkpoint, model.module);
  return { model, path: folder.path, config, finished, steps };
}
