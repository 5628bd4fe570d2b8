import { checkKind, writeNewFile } from "../../base/index.js";
import { noGrad, scope } from "../../engine/index.js";
import { encodeOnnx, type OnnxModel } from "../../files/index.js";
import { isRandomized, OnnxSketch } from "../../nn/index.js";
import { isModel, type Model } from "../model.js";

/** Choices for a model that is written. */
export interface ExportOnnxOptions {
  /**
   * Leaves the noise of defenses out, as `classifier({ noiseFree: true })` does: the mean of SQA's draws.
   * False where left out.
   */
  readonly noiseFree?: boolean | undefined;
  /** Replaces the file that is there; false where left out. */
  readonly replace?: boolean | undefined;
}

/** The lowest operator set that has all operators used, which the most runtimes read. */
const opset = 17;
const irVersion = 8;

/**
 * Writes a model in ONNX's format: images `images`, float32 (N, C, H, W) in [0, 1], to logits `logits`, (N,
 * classes), for any N. Normalization and defenses are inside. Random ones draw by `RandomUniformLike` and
 * `Multinomial`: the runtime's own noise, new in each run, which no key repeats.
 *
 * @param path of the file, which is not replaced
 * @throws TypeError for a module of your own without a form in ONNX, which it names; RangeError for a
 *   defense that cannot be written, which it names
 * @example
 * const { model } = modelFromRun("runs/mnist-small-sqa-fgsm-seed0-0a1b2c3d");
 * exportOnnx(model, "model.onnx");
 * exportOnnx(model, "mean.onnx", { noiseFree: true });
 */
export function exportOnnx(model: Model, path: string, options: ExportOnnxOptions = {}): void {
  checkKind("model", model, "a model, such as small().build({ seed: 0 })", isModel(model));
  checkKind("path", path, "the path of a file such as model.onnx", typeof path === "string");
  const { noiseFree = false, replace = false } = options;
  checkKind("noiseFree", noiseFree, "true or false", typeof noiseFree === "boolean");
  for (const { name, noOnnx } of model.defenses)
    if (noOnnx !== undefined) throw new RangeError(`defense ${name} has no form in ONNX: it ${noOnnx}`);
  writeNewFile(path, onnxBytes(model, noiseFree), { replace });
}

/** The bytes of a model in ONNX's format, in pieces. */
function onnxBytes(model: Model, noiseFree: boolean): Uint8Array[] {
  const { name, module, inputShape, classes, classNames, defenses } = model;
  const graph = scope(() =>
    noGrad(() => {
      const sketch = new OnnxSketch({ inputShape, weights: module.state(), noiseFree });
      return sketch.graph(module.toOnnx(sketch.input, sketch), classes);
    }),
  );
  const noise = !isRandomized(module) ? "none" : noiseFree ? "left out" : "drawn by the runtime in each run";
  const file: OnnxModel = {
    irVersion,
    producer: "sqa",
    opsets: new Map([["", opset]]),
    graph,
    functions: [],
  };
  return encodeOnnx(file, {
    name: "classifier",
    doc:
      `images: float32 [N, ${inputShape.join(", ")}] in [0, 1], normalized inside. ` +
      `logits: float32 [N, ${classes}]. Noise: ${noise}.`,
    metadata: {
      "sqa.model": name,
      "sqa.defenses": JSON.stringify(defenses.map(String)),
      "sqa.noise": noise,
      "sqa.classes": JSON.stringify(classNames),
    },
  });
}
