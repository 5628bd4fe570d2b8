import { writeFileSync } from "node:fs";
import { scope } from "../../../src/engine/index.js";
import { modelFromFile } from "../../../src/models/index.js";
import { noiseOf } from "./fixtures.js";

/** Outcome of many changed files, with the most that one of them took. */
export interface ChangedModels {
  read: number;
  refused: number;
  /** Seconds of the processor, which other work on the machine does not lengthen. */
  seconds: number;
  /** Bytes of memory beside the file's own. */
  bytes: number;
}

/** Limits of what a changed file may take. */
export const most = { seconds: 5, bytes: 2 ** 30 } as const;

/**
 * Writes changed files of a model one after the other, and reads each. What is read is applied to an image.
 *
 * @throws Error that names the seed of a file that is neither read nor refused by its name, or takes too much
 */
export async function readChanged(
  file: string,
  change: (seed: number) => Uint8Array,
  { first, count }: { readonly first: number; readonly count: number },
): Promise<ChangedModels> {
  const found: ChangedModels = { read: 0, refused: 0, seconds: 0, bytes: 0 };
  const before = process.memoryUsage.rss();
  for (let seed = first; seed < first + count; seed++) {
    const bytes = change(seed);
    writeFileSync(file, bytes);
    const from = process.cpuUsage();
    try {
      await applyModel(file);
      found.read++;
    } catch (error) {
      const { name, message } = error as Error;
      const isRefusal = name === "FileFormatError" && message.startsWith(file);
      if (!isRefusal) throw new Error(`seed ${seed}: ${name}: ${message}`, { cause: error });
      found.refused++;
    }
    const { user, system } = process.cpuUsage(from);
    found.seconds = Math.max(found.seconds, (user + system) / 1e6);
    found.bytes = Math.max(found.bytes, process.memoryUsage.rss() - before - bytes.length);
    if (found.seconds > most.seconds || found.bytes > most.bytes)
      throw new Error(`seed ${seed}: ${found.seconds} s, ${found.bytes} bytes`);
  }
  return found;
}

/** Applies a model to an image: one that is read gives as many logits as it says. */
async function applyModel(file: string): Promise<void> {
  const model = await modelFromFile(file);
  const { module } = model.build({ seed: 0 });
  try {
    scope(() => {
      const noise = noiseOf(1);
      const images = noise.imageIds
        .to("float32")
        .reshape([1, 1, 1, 1])
        .expand([1, ...model.inputShape]);
      const { shape } = module.apply(images, { training: false, noise });
      if (shape.join() !== `1,${model.classes}`) throw new Error(`logits of shape [${shape}]`);
    });
  } finally {
    module.dispose();
  }
}
