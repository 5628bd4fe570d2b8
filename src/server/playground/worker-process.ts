// Program of the playground's process, the one part of the dashboard that loads libtorch.
import { attacks } from "../../attacks/index.js";
import { modelFromRun, type OpenedRun } from "../../training/index.js";
import { attackImage } from "./attack-image.js";
import type { WorkerAnswer, WorkerQuestion } from "./worker.js";

let opened: { readonly folder: string; readonly mark: string; readonly run: OpenedRun } | undefined;

/** Model of a run; the last one is kept while its files stay as they are. */
function modelOf(folder: string, mark: string): OpenedRun {
  if (opened?.folder === folder && opened.mark === mark) return opened.run;
  opened = undefined;
  const run = modelFromRun(folder);
  opened = { folder, mark, run };
  return run;
}

/** Names of attacks that bound the change by epsilon in l-infinity, and of those, which take steps. */
function attackNames() {
  return attacks.definitions
    .filter(({ takes, options }) => takes === undefined && "epsilon" in options.shape)
    .map(({ name, summary, options }) => ({ name, summary, steps: "steps" in options.shape }));
}

function answer(question: WorkerQuestion): unknown {
  if (question.ask === "attacks") return attackNames();
  const { model, config } = modelOf(question.folder, question.mark);
  return attackImage(question.request, model, config.data);
}

process.on("message", (question: WorkerQuestion) => {
  let told: WorkerAnswer;
  try {
    told = { result: answer(question) };
  } catch (error) {
    told = { error: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(told);
});
process.on("disconnect", () => process.exit());
