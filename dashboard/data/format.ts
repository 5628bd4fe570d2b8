import type { RunSummary } from "../../src/server/api.js";

/** Share as a percentage with one digit; a dash where there is none. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? "–" : `${(100 * share).toFixed(1)} %`;
}

/** Number of at most four digits that count; a dash where there is none. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return Math.abs(value) >= 1e5 ? value.toExponential(1) : String(Number(value.toPrecision(4)));
}

/** Epoch whose figures stand for a run: of a finished one the last, or the best where that was kept. */
export function epochText({ state, epoch, epochs }: Pick<RunSummary, "state" | "epoch" | "epochs">): string {
  const isBest = state === "finished" && epoch !== null && epochs !== null && epoch < epochs;
  return `${epoch ?? "–"} of ${epochs ?? "–"}${isBest ? ", the best" : ""}`;
}

/** Duration in its largest two units; a dash where there is none. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  // Rounded before it is divided: there are no 60 seconds beside minutes.
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Time of day, with the date where it is another day's. */
export function time(milliseconds: number): string {
  if (milliseconds <= 0) return "–";
  const date = new Date(milliseconds);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? date.toLocaleTimeString() : date.toLocaleString();
}

/** Radius of an attack: in 255ths where it is such a fraction, else as a number of at most four digits. */
export function radius(value: number): string {
  const levels = Math.round(255 * value * 100) / 100;
  return Number.isInteger(levels) && Math.abs(255 * value - levels) < 1e-4 && levels > 0 && levels < 255
    ? `${levels}/255`
    : short(value);
}

/** Short names of attacks, such as "PGD-20, eps 8/255"; the whole calls where two would have the same. */
export function attackNames(calls: readonly string[]): string[] {
  const names = calls.map(attackName);
  return new Set(names).size < new Set(calls).size ? [...calls] : names;
}

function attackName(call: string): string {
  const [, name, inside] = /^([a-z-]+)(?:\(([^()]*)\))?$/.exec(call) ?? [];
  if (name === undefined) return call;
  const options = new Map((inside ?? "").split(", ").map((option) => option.split("=") as [string, string]));
  const [steps, epsilon] = [options.get("steps"), options.get("epsilon")];
  return [
    `${name.toUpperCase()}${steps === undefined ? "" : `-${steps}`}`,
    ...(epsilon === undefined ? [] : [`eps ${epsilon}`]),
  ].join(", ");
}
