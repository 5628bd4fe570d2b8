import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { RunColumn, RunPage, RunSummary } from "../api.js";
import { inside, isPlainName } from "../files/inside.js";
import { ownerOf } from "./run-files.js";
import { damagedRun, markOf, summaryOf } from "./summary.js";

/** Part of the list that is asked for. */
export interface ListQuery {
  /** Words that all must occur in a run's texts. */
  readonly filter: string;
  readonly state: string;
  readonly sort: RunColumn;
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

/** Runs that are listed at most: more are no list any more. */
const mostRuns = 20_000;

/** Runs of a folder. What was read of one is kept until its files change. */
export class RunList {
  readonly #known = new Map<string, { readonly mark: string; readonly summary: RunSummary }>();

  constructor(readonly folder: string) {}

  /** Summary of a run; undefined where there is none inside of the folder. */
  summary(name: string): RunSummary | undefined {
    const folder = inside(this.folder, name);
    return folder === undefined ? undefined : this.#summaryIn(name, folder);
  }

  #summaryIn(name: string, folder: string): RunSummary | undefined {
    let now: ReturnType<typeof markOf>;
    try {
      now = markOf(folder);
    } catch (error) {
      return damagedRun(name, (error as Error).message);
    }
    if (now === undefined) return undefined;
    const known = this.#known.get(name);
    // A killed process changes no file.
    const stands = known?.summary.state !== "running" || ownerOf(folder) !== undefined;
    if (known?.mark === now.mark && stands) return known.summary;
    const summary = summaryOf(name, folder, now.changed);
    this.#known.set(name, { mark: now.mark, summary });
    return summary;
  }

  /** Every run, by name. */
  all(): RunSummary[] {
    if (!existsSync(this.folder)) return [];
    const entries = readdirSync(this.folder, { withFileTypes: true })
      .filter((entry) => isPlainName(entry.name) && !entry.isFile())
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .slice(0, mostRuns);
    return entries.flatMap((entry) => {
      const { name } = entry;
      // A folder that is no link lies where it seems to.
      const found = entry.isDirectory() ? this.#summaryIn(name, join(this.folder, name)) : this.summary(name);
      return found ?? [];
    });
  }

  page({ filter, state, sort, descending, offset, limit }: ListQuery): RunPage {
    const all = this.all();
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = all.filter((run) => {
      if (state !== "" && (state === "alarm" ? run.alarms.length === 0 : run.state !== state)) return false;
      const texts = [run.name, run.model, run.data, run.method, run.defenses, run.state, ...run.alarms]
        .join("\n")
        .toLowerCase();
      return words.every((word) => texts.includes(word));
    });
    matching.sort((a, b) => compare(a, b, sort, descending));
    return { runs: matching.slice(offset, offset + limit), matching: matching.length, total: all.length };
  }

  /** Mark of all runs, which changes when one of them does, comes or goes. */
  mark(): string {
    const marks = this.all().map(({ name, changed, state }) => `${name} ${state} ${changed}`);
    return createHash("sha256").update(marks.join("\n")).digest("hex").slice(0, 12);
  }
}

/** Order by a column, what is not known last. */
function compare(a: RunSummary, b: RunSummary, column: RunColumn, descending: boolean): number {
  const [x, y] = [sortable(a[column]), sortable(b[column])];
  if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
  const order =
    typeof x === "number" && typeof y === "number" ? x - y : String(x) < String(y) ? -1 : Number(x !== y);
  return (descending ? -order : order) || (a.name < b.name ? -1 : 1);
}

function sortable(value: RunSummary[RunColumn]): number | string | null {
  return typeof value === "object" && value !== null ? value.length : value;
}
