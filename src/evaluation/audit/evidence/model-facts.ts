import { createHash } from "node:crypto";
import { scope } from "../../../engine/index.js";
import type { Model } from "../../../models/index.js";
import { type Module, parameterCount, transformTensors } from "../../../nn/index.js";
import type { CheckedLine } from "../checks/index.js";
import type { AuditSubject } from "../identity.js";
import type { AuditJson } from "../report/schema/audit.js";
import { preprocessingOf } from "./preprocessing.js";

type ModelFacts = AuditJson["evidence"]["model"];

/**
 * SHA-256 of names, types, shapes and bytes of all that a module and its transforms hold, in the order of
 * names.
 */
export function weightsSha256(module: Module): string {
  const hash = createHash("sha256");
  for (const [name, value] of [...module.stored(), ...transformTensors(module)].sort(([a], [b]) =>
    a < b ? -1 : 1,
  )) {
    hash.update(JSON.stringify([name, value.dtype, value.shape]));
    const data = scope(() => value.detach().to({ device: "cpu" }).toArray());
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

/** Facts about the graph of an exported model, as its report has them; null for any other. */
function graphFacts(model: Model | undefined): ModelFacts["graph"] {
  if (model?.graph === undefined) return null;
  const { format, sha256, operators, blocked, random } = model.graph;
  return { format, sha256, operators, blocked: [...blocked], random: [...random] };
}

/** Kind of the outputs, by the check that examined them. */
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
    graph: graphFacts(model),
    preprocessing: preprocessingOf(model),
    randomized: classifier.randomized,
    surrogates: Object.keys(classifier.surrogates ?? {}),
    notes,
    training: training === undefined ? null : { run: training.run, config: { ...training.config } },
  };
}
