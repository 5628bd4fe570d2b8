import { isObject, readTextFile, type Work } from "../../../base/index.js";
import type { Evaluation, EvaluationEvent } from "../../../evaluation/index.js";
import { out } from "../../frame/output.js";
import { withProgress } from "../../frame/progress.js";
import { usageUntilBegun } from "../../frame/usage-error.js";
import { attackNames } from "../../frame/words/attack-name.js";
import type { EvaluateCommandOptions } from "./evaluate-options.js";
import { comparisonTable, type Evaluated, evaluationJson, evaluationTable } from "./evaluation-text.js";
import type { Subject } from "./subject.js";

/** Passes events on, and shows a bar over the clean images and those of each attack. */
function withBar(events: AsyncIterable<EvaluationEvent>, label: string, attacks: number) {
  let finished = 0;
  return withProgress(events, { label }, (event) => {
    if (event.type === "begin") return undefined;
    if (event.type !== "progress") {
      finished++;
      return undefined;
    }
    const { attack, done, images } = event;
    const metrics = attack === "clean" ? {} : { under: attackNames([attack]).get(attack)! };
    return { done: finished * images + done, total: (attacks + 1) * images, metrics };
  });
}

/** Outcome of a subject's evaluation, with a bar meanwhile; `begun` is told the folder that keeps it. */
export async function evaluated(
  { opened, images, attacks }: Subject,
  work: Work<EvaluationEvent, Evaluation>,
  given: Pick<EvaluateCommandOptions, "split" | "seed" | "surrogate">,
  label: string,
  begun: (folder: string) => void = () => {},
): Promise<Evaluated> {
  for await (const event of withBar(usageUntilBegun(work), label, attacks.length))
    if (event.type === "begin" && event.folder !== undefined) begun(event.folder);
  const { name, run, file, model } = opened;
  const steps = run?.finished === false ? { steps: run.steps } : {};
  return {
    name,
    evaluation: await work,
    defenses: model.defenses.map(String),
    data: images[given.split].name,
    seed: given.seed,
    surrogate: given.surrogate,
    origin: run === undefined ? { file } : { run: { path: run.path, finished: run.finished, ...steps } },
  };
}

/** JSON of evaluations: an object, or a list of several models'. */
export function evaluationsJson(all: readonly Evaluated[]): string {
  return JSON.stringify(all.length === 1 ? evaluationJson(all[0]!) : all.map(evaluationJson));
}

/** Tells whether a file holds the JSON of an evaluation. */
export function isEvaluationFile(file: string): boolean {
  try {
    const found = JSON.parse(readTextFile(file)) as unknown;
    return isObject(found) && isObject(found.clean) && [found.attacks, found.flags].every(Array.isArray);
  } catch {
    return false;
  }
}

/** Shows evaluations, and tells whether an attack ended in an error. */
export function showEvaluations(
  all: readonly Evaluated[],
  { json, verbose }: { readonly json: boolean; readonly verbose: boolean },
): boolean {
  if (json) out(evaluationsJson(all));
  else {
    const tables = all.map((one) => evaluationTable(one, verbose, all.length > 1));
    out([...tables, ...(all.length === 1 ? [] : [comparisonTable(all, verbose)])].join("\n\n"));
  }
  return all.some(({ evaluation }) => evaluation.attacks.some(({ error }) => error !== undefined));
}
