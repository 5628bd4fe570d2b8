import { createHash } from "node:crypto";
import { readSafetensors } from "../../src/files/index.js";
import { type TrainConfigInput, type TrainEvent, train } from "../../src/training/index.js";

/** Events of a run in a folder of runs, which is asked to stop after a step; of a whole one by default. */
export async function eventsUntil(
  config: TrainConfigInput,
  runs: string,
  stopAfter = Number.POSITIVE_INFINITY,
): Promise<TrainEvent[]> {
  const controller = new AbortController();
  const events: TrainEvent[] = [];
  for await (const event of train(config, { runs, threads: 1, signal: controller.signal })) {
    events.push(event);
    if (event.type === "step" && event.step >= stopAfter) controller.abort();
  }
  return events;
}

/** Digests of a file's tensors by name: element by element a comparison takes minutes. */
export const tensorHashes = (path: string) =>
  [...readSafetensors(path).tensors].map(([name, { data }]) => [
    name,
    createHash("sha1")
      .update(Buffer.from(data.buffer, data.byteOffset, data.byteLength))
      .digest("hex"),
  ]);
