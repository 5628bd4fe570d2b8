import { join } from "node:path";
import { entryAt } from "../../base/index.js";
import type { RunState, RunSummary } from "../api.js";
import { lastLines } from "../files/lines.js";
import { eventOf, type RunAlarm, type RunEpoch } from "./events.js";
import { type LockOwner, ownerOf, readConfig, readResult } from "./run-files.js";

/** Bytes at the end of events.jsonl that are read: first few, then more where they hold no epoch. */
const tails = [8 * 1024, 256 * 1024];

function text(value: unknown): string {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.map(text).join(", ") : "";
}

const number = (value: unknown) => (typeof value === "number" ? value : null);

/** Last epoch and alarms among the latest events. */
function latest(folder: string): { epoch?: RunEpoch | undefined; alarms: RunAlarm[] } {
  const file = join(folder, "events.jsonl");
  for (const bytes of tails) {
    const lines = lastLines(file, bytes) ?? [];
    const epoch = lastEpoch(lines);
    if (epoch === undefined && bytes !== tails.at(-1)) continue;
    const alarms = lines.filter((line) => line.includes('"alarm"')).map(eventOf);
    return { epoch, alarms: alarms.filter((event) => event?.type === "alarm") };
  }
  return { alarms: [] };
}

function lastEpoch(lines: readonly string[]): RunEpoch | undefined {
  for (let at = lines.length - 1; at >= 0; at--) {
    const event = eventOf(lines[at]!);
    if (event?.type === "epoch") return event;
  }
  return undefined;
}

const unknown = {
  model: "",
  data: "",
  method: "",
  defenses: "",
  seed: null,
  epoch: null,
  epochs: null,
  step: null,
  loss: null,
  clean: null,
  weak: null,
  strong: null,
  strongAttack: "",
  alarms: [],
  seconds: null,
  pid: null,
} as const;

function stateOf(owner: LockOwner | undefined, hasResult: boolean): RunState {
  if (owner !== undefined) return "running";
  return hasResult ? "finished" : "stopped";
}

/** Reads what the list says of a run, with the end of its events alone. */
export function summaryOf(name: string, folder: string, changed: number): RunSummary {
  try {
    const owner = ownerOf(folder);
    const config = readConfig(folder);
    const result = readResult(folder);
    const { epoch, alarms } = result === undefined ? latest(folder) : latestOf(result);
    return {
      ...unknown,
      name,
      state: stateOf(owner, result !== undefined),
      model: text(config?.model),
      data: text(config?.data),
      method: text(config?.method),
      defenses: text(config?.defenses),
      seed: number(config?.seed),
      epochs: number(config?.epochs),
      epoch: epoch?.epoch ?? null,
      step: epoch?.step ?? null,
      loss: epoch?.loss ?? null,
      clean: epoch?.clean ?? null,
      weak: epoch === undefined || epoch.validation.length < 2 ? null : epoch.validation[0]!.accuracy,
      strong: epoch?.validation.at(-1)?.accuracy ?? null,
      strongAttack: epoch?.validation.at(-1)?.attack ?? "",
      alarms: [...new Set(alarms.map(({ kind }) => kind))],
      seconds: result?.seconds ?? null,
      pid: owner?.pid ?? null,
      changed,
    };
  } catch (error) {
    return damagedRun(name, (error as Error).message, changed);
  }
}

/** Summary of a run of which nothing can be said but its fault. */
export function damagedRun(name: string, problem: string, changed = 0): RunSummary {
  return { ...unknown, name, state: "damaged", changed, problem };
}

function latestOf(result: NonNullable<ReturnType<typeof readResult>>) {
  return { epoch: result.best ?? result.last, alarms: result.alarms };
}

/** Files whose change makes a summary out of date. */
const watched = ["config.json", "events.jsonl", "result.json", "lock"];

/**
 * Mark of a run's files, which changes when one of them does, and the latest time of them; undefined for a
 * folder that holds no run.
 */
export function markOf(folder: string): { readonly mark: string; readonly changed: number } | undefined {
  const found = watched.map((name) => entryAt(join(folder, name)));
  if (found[0] === undefined) return undefined;
  const mark = found.map((stats) =>
    stats === undefined ? "-" : `${stats.ino} ${stats.size} ${stats.mtimeMs}`,
  );
  return { mark: mark.join(), changed: Math.max(0, ...found.map((stats) => stats?.mtimeMs ?? 0)) };
}
