// Writes models of the package as ONNX with images and this package's logits beside them, for
// test/golden/onnx_export.py: npx tsx test/models/export/write-models.ts FOLDER
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { noGrad, scope } from "../../../src/engine/index.js";
import { exportOnnx, type Model } from "../../../src/models/index.js";
import { architectures, bareQuantizer, builtModel, everyLayer, imagesFor, noiseOf } from "./models.js";

const folder = process.argv[2];
if (folder === undefined) throw new Error("give a folder");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

/** Draws behind a mean of a randomized model. */
const draws = 2000;

/** Writes a model, images, and its logits: of each image, or many draws of one. */
function write(name: string, model: Model, noiseFree = false): void {
  exportOnnx(model, join(folder!, `${name}.onnx`), { noiseFree });
  const isRandom = !noiseFree && model.classifier().randomized;
  const images = imagesFor(model, isRandom ? 1 : 4);
  const given = isRandom ? images.expand([draws, ...model.inputShape]).contiguous() : images;
  const logits = scope(() =>
    noGrad(() => model.classifier({ noiseFree }).logits(given, noiseOf(given.shape[0]!)).toNumbers()),
  );
  const { inputShape, classes } = model;
  const pixels = images.toNumbers();
  writeFileSync(
    join(folder!, `${name}.json`),
    JSON.stringify({ random: isRandom, inputShape, classes, images: pixels, logits }),
  );
  model.module.dispose();
}

for (const name of architectures) {
  write(name, builtModel(name));
  write(`${name}-deterministic`, builtModel(name, ["deterministic-quantization"]));
  write(`${name}-binary`, builtModel(name, ["binary-weights"]));
  write(`${name}-sqa-noise-free`, builtModel(name, ["sqa"]), true);
  write(`${name}-drawn-noise-free`, builtModel(name, ["binary-weights(stochastic=true)"]), true);
}
write("every-layer", everyLayer());
for (const name of ["compact", "small", "resnet18"])
  write(`${name}-sqa`, builtModel(name, ["sqa(places=blocks)"]));
for (const range of ["image", "channel", "batch"])
  for (const lambda of [1, 3])
    write(`bare-${range}-${lambda}`, bareQuantizer(`sqa(relu=${lambda}, range=${range})` as "sqa"));
