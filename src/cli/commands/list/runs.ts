import { readdirSync } from "node:fs";
import { join } from "node:path";
import { entryAt, MissingFileError, statusAt } from "../../../base/index.js";
import { percent } from "../../../report/index.js";
import { type EpochEvent, RunFolder } from "../../../training/index.js";
import { shownTable, toned } from "../../frame/look.js";
import { formatDuration } from "../../frame/progress.js";
import { shownPath } from "../../frame/shown-path.js";
import { UsageError } from "../../frame/usage-error.js";
import { attackNames } from "../../frame/words/attack-name.js";

/** Run of a folder, and where it stands. */
export interface ListedRun {
  readonly name: string;
  readonly path: string;
  readonly state: "finished" | "begun" | "damaged";
  /** Figures of the last epoch; undefined before the first. */
  readonly last?: EpochEvent | undefined;
  readonly seconds?: number | undefined;
  /** Damage of a run, in words. */
  readonly problem?: string;
}

/** Run in a folder; undefined where that holds none, damaged where it cannot be told. */
function listed(name: string, path: string): ListedRun | undefined {
  try {
    const file = join(path, "config.json");
    if (entryAt(file) === undefined) return undefined;
    if (statusAt(file) === undefined) throw new Error(`${shownPath(file)} is a link to nothing`);
    const folder = RunFolder.open(path);
    const { result } = folder;
    if (result !== undefined) {
      return { name, path, state: "finished", last: result.best ?? result.last, seconds: result.seconds };
    }
    const epochs = folder.events().filter((event): event is EpochEvent => event.type === "epoch");
    return { name, path, state: "begun", last: epochs.at(-1) };
  } catch (error) {
    return { name, path, state: "damaged", problem: (error as Error).message };
  }
}

/** Runs of a folder, in the order of their names. */
export function runsOf(folder: string): ListedRun[] {
  const status = statusAt(folder);
  if (status === undefined)
    throw new MissingFileError(`folder ${folder} does not exist: give the folder of your runs`);
  if (!status.isDirectory()) throw new UsageError(`${folder} is no folder: give the folder of your runs`);
  return readdirSync(folder)
    .sort()
    .map((name) => [name, join(folder, name)] as const)
    .flatMap(([name, path]) => listed(name, path) ?? []);
}

/** Runs beside each other, with their accuracies after the last epoch. */
export function runsTable(folder: string): string {
  const runs = runsOf(folder);
  if (runs.length === 0) return `no runs in ${shownPath(folder)}`;
  const names = attackNames(runs.flatMap(({ last }) => last?.validation.at(-1)?.attack ?? []));
  const rows = runs.map(({ name, state, last, seconds }) => {
    const strongest = last?.validation.at(-1);
    return [
      name,
      state === "finished" ? state : toned("care", state),
      last === undefined ? "" : String(last.epoch),
      last === undefined ? "" : percent(last.clean, 1),
      strongest === undefined ? "" : percent(strongest.accuracy, 1),
      strongest === undefined ? "" : names.get(strongest.attack)!,
      seconds === undefined ? "" : formatDuration(seconds),
    ];
  });
  const columns = ["run", "state", "epoch", "clean %", "attacked %", "by", "time"];
  const align = ["left", "left", "right", "right", "right", "left", "right"] as const;
  const droppable = ["by", "time", "epoch"];
  const table = { columns, rows, align, droppable };
  const problems = runs.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [`${name}: ${problem}`],
  );
  return [shownTable(table), ...(problems.length === 0 ? [] : ["", ...problems])].join("\n");
}
