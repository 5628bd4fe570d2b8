import { isModuleFile } from "../../../base/index.js";
import { isGraphFile } from "../../../models/index.js";
import { kebabCase } from "../option-names.js";
import { UsageError } from "../usage-error.js";
import type { ModelChoice, OpenedModel } from "./model-from.js";

/** Options that tell what a file leaves open, and what they are for. */
const isFor = {
  architecture: "is for weights in a file, and for runs of a network of your own",
  key: "is for weights in a file",
  prefix: "is for weights in a file",
  normalize: "is for exported models (.pt2, .onnx)",
  exactGradients: "is for exported models (.pt2, .onnx)",
} as const;
type Told = keyof typeof isFor;

/** Options that say something of a model. Where they contradict the file, that is refused as it is opened. */
function toldOf(text: string, { run }: OpenedModel): readonly Told[] {
  const ofExported: readonly Told[] = ["normalize", "exactGradients"];
  if (run !== undefined) return run.config.model.own === undefined ? [] : ["architecture", ...ofExported];
  if (isGraphFile(text)) return ofExported;
  return isModuleFile(text) ? [] : ["architecture", "key", "prefix", ...ofExported];
}

/**
 * Refuses options that would be ignored: those that say nothing of any of the models, each with the text that
 * it was opened by.
 *
 * @throws UsageError that names the option, what it is for, and a model
 */
export function refuseIgnored(
  models: readonly (readonly [text: string, opened: OpenedModel])[],
  choice: Pick<ModelChoice, Told>,
): void {
  const told = new Set(models.flatMap(([text, opened]) => toldOf(text, opened)));
  for (const name of Object.keys(isFor) as Told[]) {
    if (choice[name] === undefined || choice[name] === false || told.has(name)) continue;
    const [[text, { run, model }]] = models as [readonly [string, OpenedModel]];
    const knows =
      run === undefined ? `${text} needs none` : `run ${text} knows its own network, ${model.name}`;
    throw new UsageError(`--${kebabCase(name)} ${isFor[name]}; ${knows}`);
  }
}
