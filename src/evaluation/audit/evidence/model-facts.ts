import { createHash } from "node:crypto";
import { scope } from "../../../engine/index.js";
import { type Module, Normalize, parameterCount } from "../../../nn/index.js";
import type { CheckedLine } from "../conclude.js";
import type { AuditSubject } from "../identity.js";
import type { AuditJson } from "../report/schema/audit.js";

type ModelFacts = AuditJson["evidence"]["model"];

/** SHA-256 of a module's weights: names, types, shapes and bytes of all of them, in the order of names. */
export function weightsSha256(module: Module): string {
  const hash = createHash("sha256");
  for (const [name, value] of [...module.state()].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(JSON.stringify([name, value.dtype, value.shape]));
    const data = scope(() => value.detach().to({ device: "cpu" }).toArray());
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

/** Normalization that stands first in a module; undefined for none. */
export function normalizationOf(module: Module | undefined): Normalize | undefined {
  return module?.inputTransforms.find((one): one is Normalize => one instanceof Normalize);
}

function preprocessingOf(module: Module | undefined): ModelFacts["preprocessing"] {
  if (module === undefined) {
    return { where: "unknown: a classifier of the user's own takes pixels in [0, 1]", steps: [] };
  }
  const steps = module.inputTransforms.map((one) =>
    one instanceof Normalize
      ? `normalize: mean ${one.mean.join(", ")}, std ${one.std.join(", ")}`
      : nameOf(one),
  );
  return { where: "inside the model, behind the attacked pixels in [0, 1]", steps };
}

const nameOf = (module: Module) => module.constructor.name;

/** Kind of the outputs, by the line of the checklist that examined them. */
function outputsOf(lines: readonly CheckedLine[], notes: readonly string[]): string {
  const examined = lines.find(({ name }) => name === "predictions");
  const removed = notes.find((note) => /softmax/i.test(note));
  const outputs = examined?.outcome === "passed" ? "logits" : `not sound logits: ${examined?.evidence}`;
  return removed === undefined ? outputs : `${outputs}; ${removed}`;
}

/** Facts about an audited model. */
export function modelFacts(
  { opened, settings }: Pick<AuditSubject, "opened" | "settings">,
  lines: readonly CheckedLine[],
): ModelFacts {
  const { model, classifier } = opened;
  const { file, training } = settings.provenance;
  const notes = [...(model?.notes ?? [])];
  return {
    file: file ?? null,
    weightsSha256: model === undefined ? null : weightsSha256(model.module),
    parameters: model === undefined ? null : parameterCount(model.module),
    inputShape: [...classifier.inputShape],
    classes: classifier.classes,
    outputs: outputsOf(lines, notes),
    preprocessing: preprocessingOf(model?.module),
    randomized: classifier.randomized,
    surrogates: Object.keys(classifier.surrogates ?? {}),
    notes,
    training: training === undefined ? null : { run: training.run, config: { ...training.config } },
  };
}
