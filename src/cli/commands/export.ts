import { extname } from "node:path";
import * as z from "zod";
import { exportOnnx, exportWeights, type Model, saveExported } from "../../models/index.js";
import { defineCommand } from "../frame/command.js";
import { exitCode } from "../frame/exit-code.js";
import { imagesFrom } from "../frame/inputs/images-from.js";
import {
  architectureOption,
  defenseOptions,
  defensesOf,
  imagesOption,
  isWeightsFile,
  weightsOptions,
} from "../frame/inputs/input-options.js";
import { modelForms, type OpenedModel, openModel } from "../frame/inputs/model-from.js";
import { refuseIgnored } from "../frame/inputs/told-options.js";
import { note, out } from "../frame/output.js";
import { shownPath } from "../frame/shown-path.js";
import { UsageError } from "../frame/usage-error.js";
import { noteLeftOut } from "../frame/words/left-out.js";
import { noteUnfinished } from "../frame/words/unfinished.js";

const options = z.strictObject({
  architecture: architectureOption.optional().describe("architecture of weights, or of a run's own model"),
  images: imagesOption.optional().describe("images that weights are for: their shape, classes, statistics"),
  ...weightsOptions,
  ...defenseOptions,
  noiseFree: z
    .boolean()
    .default(false)
    .describe("ONNX without the noise of defenses: the mean of SQA's draws"),
  force: z.boolean().default(false).describe("replace the file that is there"),
});
type Options = z.output<typeof options>;

/** Model and file of one call. */
interface Call {
  readonly opened: OpenedModel;
  readonly to: string;
  readonly given: Options;
}

/** The .pt2 file that a model was made of; undefined for other models. */
function pt2Of({ opened: { run, file }, given: { architecture } }: Call): string | undefined {
  return [run?.config.model.own?.file, file, architecture].find((path) => /\.pt2$/i.test(path ?? ""));
}

/** The run's folder, as it is shown; undefined for models out of files. */
function runOf({ opened: { run } }: Call): string | undefined {
  return run && shownPath(run.path);
}

/** Says what noise of a model becomes. */
function noteNoise(model: Model, noiseFree: boolean): void {
  if (noiseFree || !model.classifier().randomized) return;
  note("noise is the runtime's own, new in each run of the file; --noise-free writes the mean");
}

/** Says which parts have gradients or surrogates that no file has. */
function noteGradients({ defenses, module }: Model, noiseFree: boolean): void {
  const own = [
    ...defenses.filter(({ randomized }) => !(randomized && noiseFree)).map(({ name }) => name),
    ...module.namedModules().flatMap(([name, layer]) => (layer.hasOwnGradient ? [name] : [])),
  ];
  if (own.length === 0) return;
  note(
    `attacks on the file can find less than attacks on the model: gradients and surrogates of ` +
      `${own.join(", ")} are this package's, and not in the file`,
  );
}

/** Writers by the file's ending. */
const writers: Readonly<Record<string, (call: Call) => void>> = {
  ".onnx": ({ opened: { model }, to, given: { noiseFree, force } }) => {
    exportOnnx(model, to, { noiseFree, replace: force });
    noteNoise(model, noiseFree);
    noteGradients(model, noiseFree);
  },
  ".safetensors": (call) => {
    exportWeights(call.opened.model, call.to, { from: pt2Of(call), replace: call.given.force });
    noteLeftOut(call.opened.model, runOf(call));
  },
  ".pt2": (call) => {
    const { opened, to, given } = call;
    const from = pt2Of(call);
    if (from === undefined) {
      throw new UsageError(
        `${to}: copies are written of .pt2 files, which model ${opened.model.name} was not made of; ` +
          "give a file .onnx or .safetensors",
      );
    }
    saveExported(from, opened.model, to, { replace: given.force });
    noteLeftOut(opened.model, runOf(call));
  },
};

async function run(given: Options, [text, to]: readonly [string, string]): Promise<number> {
  const ending = extname(to).toLowerCase();
  const write = Object.hasOwn(writers, ending) ? writers[ending] : undefined;
  if (write === undefined)
    throw new UsageError(`${to}: a file ends with ${Object.keys(writers).join(", ")}, which says its format`);
  if (given.noiseFree && ending !== ".onnx")
    throw new UsageError(`--noise-free is for .onnx: ${ending} holds weights, which have no noise`);
  const images = await imagesFrom(given.images);
  const { architecture, key, prefix } = given;
  const choice = { architecture, images, defenses: defensesOf(given), key, prefix };
  const opened = await openModel(text, choice);
  refuseIgnored([[text, opened]], choice);
  if (given.images !== undefined && !isWeightsFile(text))
    throw new UsageError(`--images is for weights in a file; ${text} tells its own shape and classes`);
  noteUnfinished(opened, "written");
  write({ opened, to, given });
  out(shownPath(to));
  return exitCode.done;
}

/** `sqa export RUN model.onnx`: a model for other runtimes. */
export const exportCommand = defineCommand({
  name: "export",
  summary: "write a model as ONNX (.onnx), as weights (.safetensors), or as a copy of its .pt2 file",
  description:
    "Write a model for other programs. ONNX takes images in [0, 1] and any number of them, with " +
    "normalization and defenses inside; random ones draw anew in each run. Weights have PyTorch's " +
    "names, or those of the file that the model came from. A copy of a .pt2 file has the trained weights.",
  operands: [
    { name: "model", description: modelForms },
    {
      name: "file",
      description: "file to write: .onnx, .safetensors, or .pt2 for models out of such a file",
    },
  ],
  options,
  endsAtOnce: true,
  examples: [
    "sqa export runs/NAME model.onnx",
    "sqa export runs/NAME mean.onnx --noise-free",
    "sqa export runs/NAME weights.safetensors",
    "sqa export runs/NAME hardened.pt2 --architecture model.pt2",
    "sqa export checkpoint.pth model.onnx --architecture resnet18 --images cifar10",
  ],
  run: (given, { operands: [model, file] }) => run(given, [model!, file!]),
});
