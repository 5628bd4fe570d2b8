import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { MissingFileError } from "../../base/index.js";
import { scope } from "../../engine/index.js";
import { isGraphFile, type Model, modelFromFile } from "../../models/index.js";
import type { Classifier } from "../../nn/index.js";
import { codeOf } from "../../options/index.js";
import type { TrainConfig } from "../config.js";
import { modelFromRun } from "./open-model.js";

/** Trained models on which a method makes images, opened for as long as a run takes. */
export interface OpenedSources extends Disposable {
  readonly classifiers: readonly Classifier[];
  /** Part of a run's environment: the SHA-256 of their weights, where there are sources. */
  readonly facts: { readonly sources?: string };
}

export const noSources: OpenedSources = { classifiers: [], facts: {}, [Symbol.dispose]() {} };

/**
 * Opens the models that a configuration's method names: run folders and exported models.
 *
 * @throws RangeError for a path that is none, or a model of other images or classes; FileFormatError for a
 *   damaged one
 */
export async function openSources({ method, model }: TrainConfig, device: string): Promise<OpenedSources> {
  const { sources = [] } = method;
  if (sources.length === 0) return noSources;
  const opened: Model[] = [];
  const hash = createHash("sha256");
  const dispose = () => {
    for (const { module, borrowed } of opened) if (borrowed !== true) module.dispose();
  };
  try {
    for (const path of sources) {
      const source = await openSource(path, method.name);
      opened.push(source);
      checkFits(`method ${method.name}: source ${path}`, source, model);
      addContent(hash, source);
      source.module.to(device);
    }
  } catch (error) {
    dispose();
    throw error;
  }
  const classifiers = opened.map((source) => source.classifier());
  return { classifiers, facts: { sources: hash.digest("hex") }, [Symbol.dispose]: dispose };
}

async function openSource(path: string, method: string): Promise<Model> {
  const of = `method ${method}: source ${path}`;
  if (!existsSync(path))
    throw new MissingFileError(`${of} does not exist; give run folders or .pt2 and .onnx files`);
  if (statSync(path).isDirectory()) {
    const { model, finished } = modelFromRun(path);
    if (finished) return model;
    model.module.dispose();
    throw new RangeError(`${of} is a run that is not finished, so its weights may change: finish it first`);
  }
  if (!isGraphFile(path)) {
    throw new RangeError(
      `${of} is no run folder and no exported model: give run folders or .pt2 and .onnx files`,
    );
  }
  return (await modelFromFile(path)).build({ seed: 0, defenses: [] });
}

function checkFits(
  of: string,
  { inputShape, classes }: Model,
  wanted: Pick<Model, "name" | "inputShape" | "classes">,
): void {
  const form = (shape: readonly number[], count: number) => `${shape.join(" x ")} images of ${count} classes`;
  const [found, needed] = [form(inputShape, classes), form(wanted.inputShape, wanted.classes)];
  if (found !== needed) throw new RangeError(`${of} takes ${found}; model ${wanted.name} takes ${needed}`);
}

/** Adds all that a source's answers depend on. */
function addContent(hash: ReturnType<typeof createHash>, { name, module, defenses, origin }: Model): void {
  hash.update(JSON.stringify([name, origin?.() ?? "", defenses.map(String), codeOf(defenses) ?? null]));
  for (const [key, value] of module.state()) {
    hash.update(`\0${key}\0${value.dtype}\0${value.shape.join()}\0`);
    const { buffer, byteOffset, byteLength } = scope(() => value.detach().toArray());
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
}
