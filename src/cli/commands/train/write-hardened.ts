import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { checkWritable, messageOf } from "../../../base/index.js";
import { exportWeights, isGraphFile, saveExported } from "../../../models/index.js";
import type { TrainConfigInput, TrainedRun } from "../../../training/index.js";
import { note } from "../../frame/output.js";
import { shownPath } from "../../frame/shown-path.js";
import { UsageError } from "../../frame/usage-error.js";
import { noteLeftOut } from "../../frame/words/left-out.js";

/** File of the exported model that a configuration trains; undefined for other models. */
function exportedFile({ model }: TrainConfigInput): string | undefined {
  if (typeof model !== "object" || model.own?.file === undefined) return undefined;
  return isGraphFile(model.own.file) ? model.own.file : undefined;
}

/** Refuses a file for the trained model, before any training, that could not be written after it. */
export function checkOut(out: string | undefined, config: TrainConfigInput): void {
  if (out === undefined) return;
  const file = exportedFile(config);
  if (file === undefined)
    throw new UsageError(`--out ${out}: it is for exported models, such as --model model.pt2`);
  if (!/\.pt2$/i.test(file))
    throw new UsageError(`--out ${out}: copies are written of .pt2 files; of ${file} use the run's weights`);
  if (!/\.pt2$/i.test(out)) throw new UsageError(`--out ${out}: the file is a model (.pt2)`);
  try {
    checkWritable(dirname(out));
  } catch (error) {
    throw new UsageError(`--out ${out}: ${messageOf(error)}`, { cause: error });
  }
  for (const path of [out, weightsBeside(out)])
    if (existsSync(path))
      throw new UsageError(
        `--out ${out}: there is such a file already: ${path}; delete it, or give another name`,
      );
}

/** File of the state dict beside a model. */
function weightsBeside(out: string): string {
  return out.replace(/\.pt2$/i, ".safetensors");
}

/**
 * Writes a copy of an exported model with the weights of a finished run, and beside it their state dict with
 * the original names; says what neither has.
 */
export function writeHardened(
  out: string,
  { model, folder }: Pick<TrainedRun, "model" | "folder">,
  config: TrainConfigInput,
): void {
  const file = exportedFile(config);
  if (file === undefined) return;
  saveExported(file, model, out);
  exportWeights(model, weightsBeside(out), { from: file });
  note(`hardened model: ${shownPath(out)}, its weights: ${shownPath(weightsBeside(out))}`);
  noteLeftOut(model, shownPath(folder));
}
