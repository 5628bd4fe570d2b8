// Program of the playground's process, the one part of the dashboard that loads libtorch.
import { attacks } from "../../attacks/index.js";
import { messageOf } from "../../base/index.js";
import { attackImage } from "./attack-image.js";
import { factsOf, openedModel } from "./opened-model.js";
import { playImage } from "./play-image.js";
import type { WorkerAnswer, WorkerQuestion } from "./worker.js";

/** Names of attacks that bound the change by epsilon in l-infinity, and of those, which take steps. */
function attackNames() {
  return attacks.definitions
    .filter(({ takes, options }) => takes === undefined && "epsilon" in options.shape)
    .map(({ name, summary, options }) => ({ name, summary, steps: "steps" in options.shape }));
}

async function answer(question: WorkerQuestion): Promise<unknown> {
  if (question.ask === "attacks") return attackNames();
  const opened = await openedModel(question.source);
  if (question.ask === "model") return factsOf(opened);
  return attackImage(question.request, opened.model, await playImage(question.request, opened));
}

process.on("message", async (question: WorkerQuestion) => {
  let told: WorkerAnswer;
  try {
    told = { result: await answer(question) };
  } catch (error) {
    told = { error: messageOf(error) };
  }
  process.send?.(told);
});
process.on("disconnect", () => process.exit());
