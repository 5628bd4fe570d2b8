import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { entryAt } from "../../base/index.js";
import { inside } from "../files/inside.js";
import { readJson } from "../files/read-json.js";

/** Kept batch of a trial: the images from `first` on, and the draws that answered each correctly. */
export interface KeptBatch {
  readonly id: string;
  readonly first: number;
  /** Correct answers to each image in the even draws and in the odd ones, and the number of draws. */
  readonly even: readonly number[];
  readonly odd: readonly number[];
  readonly draws: number;
  readonly seconds: number;
}

const counts = z.array(z.number().min(0)).max(100_000);
const recordSchema = z.object({
  id: z.string().max(10_000),
  even: counts,
  odd: counts,
  draws: z.int().min(1),
  seconds: z.number().min(0),
});

const batchName = /^(\d{5,})-\d{5,}\.json$/;

function readBatch(file: string, first: number): KeptBatch | undefined {
  const record = readJson(file, recordSchema);
  if (record === undefined) return undefined;
  if (record.even.length !== record.odd.length) throw new Error("its counts are not of the same images");
  return { ...record, first };
}

/** Mark of a file, which is another where a deleted audit was begun anew; "" for no file. */
function markOf(path: string): string {
  const stats = entryAt(path);
  return stats === undefined ? "" : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
}

/** Batches that an audit keeps, each read once. */
export class BatchFiles {
  #known: ReadonlyMap<string, { readonly mark: string; readonly batch: KeptBatch }> = new Map();

  constructor(readonly folder: string) {}

  /** Batches so far, and faults of files that are none. */
  read(): { readonly batches: readonly KeptBatch[]; readonly problems: readonly string[] } {
    const now = new Map<string, { mark: string; batch: KeptBatch }>();
    const problems: string[] = [];
    for (const file of this.#files()) {
      const path = join(this.folder, "trials", file);
      try {
        const mark = markOf(path);
        const known = this.#known.get(file);
        const first = Number(batchName.exec(file.split("/").at(-1)!)![1]);
        const batch = known?.mark === mark ? known.batch : readBatch(path, first);
        if (batch !== undefined) now.set(file, { mark, batch });
      } catch (error) {
        problems.push(`trials/${file}: ${(error as Error).message}`);
      }
    }
    this.#known = now;
    return { batches: [...now.values()].map(({ batch }) => batch), problems };
  }

  #files(): string[] {
    const folder = inside(this.folder, "trials");
    if (folder === undefined) return [];
    try {
      return readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && /^[0-9a-f]{12}$/.test(entry.name))
        .flatMap(({ name }) =>
          readdirSync(join(folder, name))
            .filter((file) => batchName.test(file))
            .map((file) => `${name}/${file}`),
        )
        .sort();
    } catch {
      return [];
    }
  }

  /** Number of batches, to tell that there are more. */
  count(): number {
    return this.#files().length;
  }
}
