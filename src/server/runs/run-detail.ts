import type { Comparison, Difference, RunDetail } from "../api.js";
import { auditsOf } from "../audits/audit-list.js";
import { inside } from "../files/inside.js";
import { downSample, fewerEvents } from "./down-sample.js";
import { shownImages } from "./pictures.js";
import { readConfig, readEnvironment } from "./run-files.js";
import type { RunList } from "./run-list.js";
import { cursorText, type Logged, loggedAfter, start } from "./run-log.js";

/** Points of a curve that are sent at most. */
const mostPoints = 600;

function attempt<T, Otherwise>(
  problems: string[],
  read: () => T | undefined,
  otherwise: Otherwise,
): T | Otherwise {
  try {
    return read() ?? otherwise;
  } catch (error) {
    problems.push((error as Error).message);
    return otherwise;
  }
}

/** Logs that were read last: they are large, and asked for several times. */
export class RunLogs {
  readonly #known = new Map<string, Logged>();

  /** All that a run has logged; only what is new is read. */
  all(folder: string): Logged {
    const known = this.#known.get(folder);
    const more = loggedAfter(folder, known?.cursor ?? start);
    const logged =
      known === undefined || more.anew
        ? more
        : {
            ...more,
            events: [...known.events, ...more.events],
            steps: [...known.steps, ...more.steps],
            broken: known.broken + more.broken,
          };
    this.#known.delete(folder);
    this.#known.set(folder, logged);
    if (this.#known.size > 20) this.#known.delete(this.#known.keys().next().value!);
    return logged;
  }
}

/** Run with its curves; undefined where there is none of that name. */
export function runDetail(list: RunList, logs: RunLogs, name: string): RunDetail | undefined {
  const folder = inside(list.folder, name);
  const summary = list.summary(name);
  if (folder === undefined || summary === undefined) return undefined;
  const problems: string[] = [];
  const { events, steps, cursor, broken } = logs.all(folder);
  if (broken > 0) problems.push(`events.jsonl and steps.jsonl: ${broken} lines are no events`);
  return {
    summary,
    config: attempt(problems, () => readConfig(folder), {}),
    environment: attempt(problems, () => readEnvironment(folder), {}),
    steps: downSample(steps, 2 * mostPoints, ({ loss }) => loss),
    events: fewerEvents(events, mostPoints),
    alarms: events.filter((event) => event.type === "alarm").slice(0, 1000),
    images: attempt(problems, () => shownImages(folder), null),
    audits: attempt(problems, () => auditsOf(list.folder, name), []),
    cursor: cursorText(cursor),
    problems,
  };
}

/** Options in which configurations differ. */
export function differences(configs: readonly Readonly<Record<string, unknown>>[]): Difference[] {
  const names = [...new Set(configs.flatMap((config) => Object.keys(config)))].sort();
  const shown = (value: unknown) =>
    value === undefined ? null : typeof value === "string" ? value : JSON.stringify(value);
  return names
    .map((option) => ({ option, values: configs.map((config) => shown(config[option])) }))
    .filter(({ values }) => new Set(values).size > 1);
}

/** Runs beside each other; those that are not there are left out. */
export function compareRuns(list: RunList, logs: RunLogs, names: readonly string[]): Comparison {
  const found = names.map((name) => runDetail(list, logs, name)).filter((detail) => detail !== undefined);
  return {
    runs: found.map(({ summary, events, steps }) => ({ name: summary.name, summary, events, steps })),
    differences: differences(found.map(({ config }) => config)),
  };
}
