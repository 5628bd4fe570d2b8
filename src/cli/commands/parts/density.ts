import * as z from "zod";
import { formatCall } from "../../../options/index.js";
import { densityOptions, trainDensity } from "../../../training/index.js";
import { defineCommand } from "../../frame/command.js";
import { exitCode } from "../../frame/exit-code.js";
import { imagesFrom, prepareWithBar } from "../../frame/inputs/images-from.js";
import { imagesOption } from "../../frame/inputs/input-options.js";
import { runOptions } from "../../frame/run-options.js";
import { quoted } from "../../frame/shown-path.js";
import { asUsage } from "../../frame/usage-error.js";
import { showPart } from "./show-part.js";

/** `sqa density`: trains the density model of PixelDefend. */
export const densityCommand = defineCommand({
  name: "density",
  summary: "train the density model of PixelDefend on a data set's images",
  description:
    "Train a Gated PixelCNN on the training images, for the option density of the defense pixel-defend. " +
    "Its loss is in bits per channel of a pixel. The same command resumes a training that was stopped or " +
    "killed; a finished one is not repeated. Prints the folder.",
  operands: [],
  options: z.strictObject({
    images: imagesOption.describe("images to train on"),
    ...densityOptions,
    ...runOptions,
  }),
  fileKeys: { data: "images" },
  examples: ["sqa density --images mnist", "sqa density --images cifar10 --filters 32 --epochs 5"],
  async run({ images, runs, threads, ...sizes }, { signal }) {
    const data = await imagesFrom(images);
    await prepareWithBar(data.train, sizes.limit, signal);
    await prepareWithBar(data.test, undefined, signal);
    const work = asUsage(() => trainDensity({ data, ...sizes }, { runs, threads, signal }));
    await showPart(work, {
      measure: "bits of test images",
      shown: (bits) => bits.toFixed(3),
      next: (density) => `npx sqa evaluate RUN --defense ${quoted(formatCall("pixel-defend", { density }))}`,
    });
    return exitCode.done;
  },
});
