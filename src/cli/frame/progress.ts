import { visibleWidth } from "../../report/index.js";
import { note, progressStyle, showLiveLine } from "./output.js";

/** Beginning of a progress; `total` and `initial` (work done by an earlier run) are in steps of any kind. */
export interface ProgressOptions {
  readonly label: string;
  readonly total?: number;
  readonly initial?: number;
  /** Word for what is counted, behind the numbers, such as "attacks". */
  readonly unit?: string;
  /** Milliseconds that only grow; for tests. */
  readonly now?: () => number;
}

/** State of work: steps done, and figures, shown in the order given. */
export interface ProgressUpdate {
  readonly done?: number;
  readonly total?: number;
  /** Share of the work in [0, 1], where the steps take unlike times. */
  readonly share?: number | undefined;
  readonly metrics?: Readonly<Record<string, number | string>>;
  /** Seconds left, where somebody knows better than by the steps done so far. */
  readonly left?: number | undefined;
}

const REDRAW_MILLISECONDS = 80;
const LINE_MILLISECONDS = 5_000;
/** The same two where nothing has been told meanwhile. */
const WAITING_REDRAW_MILLISECONDS = 1_000;
const WAITING_LINE_MILLISECONDS = 60_000;
const BAR_COLUMNS = 24;

/** Progresses that are shown. */
const shown = new Set<Progress>();

/** Lets what is shown tell how long it has taken; called in the midst of work that tells nothing for long. */
export function showWaiting(): void {
  for (const progress of shown) progress.wait();
}

/** A bar on a terminal, a line every few seconds elsewhere, nothing with `--quiet`; on standard error. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #start: number;
  #state: ProgressUpdate;
  #shown: number;
  #finished = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#start = this.#now();
    this.#state = {
      done: options.initial ?? 0,
      ...(options.total === undefined ? {} : { total: options.total }),
    };
    this.#shown = progressStyle().terminal ? Number.NEGATIVE_INFINITY : this.#start;
    shown.add(this);
    this.update({});
  }

  /** Takes the state of the work; cheap enough to call at every step. */
  update(update: ProgressUpdate): void {
    if (this.#finished) return;
    this.#state = { ...this.#state, ...update };
    this.#show(REDRAW_MILLISECONDS, LINE_MILLISECONDS);
  }

  /** Shows how long the work has taken, where nothing has been shown for a while. */
  wait(): void {
    this.#show(WAITING_REDRAW_MILLISECONDS, WAITING_LINE_MILLISECONDS);
  }

  /** Shows the state where the last was shown so long ago: on a terminal, and elsewhere. */
  #show(onTerminal: number, elsewhere: number): void {
    const { quiet, terminal, columns } = progressStyle();
    const now = this.#now();
    if (quiet || now - this.#shown < (terminal ? onTerminal : elsewhere)) return;
    this.#shown = now;
    if (terminal) showLiveLine(this, this.#line(BAR_COLUMNS, columns - 1));
    else note(this.#line(0));
  }

  /** Takes the bar away. Where there is no terminal, long work says how long it took. */
  finish(): void {
    if (this.#finished) return;
    this.#end();
    const { quiet, terminal } = progressStyle();
    if (quiet) return;
    if (terminal) showLiveLine(this, undefined);
    else if (this.#now() - this.#start >= LINE_MILLISECONDS) {
      note(`${this.#options.label}: took ${formatDuration((this.#now() - this.#start) / 1000)}`);
    }
  }

  /** Takes the bar away without a word: the work has ended, or was broken off. */
  [Symbol.dispose](): void {
    if (this.#finished) return;
    this.#end();
    if (progressStyle().terminal) showLiveLine(this, undefined);
  }

  #end(): void {
    this.#finished = true;
    shown.delete(this);
  }

  /** Parts of the line in their order: those that a narrow terminal can do without are not needed. */
  #parts(barColumns: number): { readonly text: string; readonly needed: boolean }[] {
    const { done = 0, total, metrics = {} } = this.#state;
    const share = this.#share();
    const { unit } = this.#options;
    const counted = total === undefined ? String(done) : `${done}/${total}`;
    const isKnown = total !== undefined || done > 0;
    const left = this.#secondsLeft();
    const needed = (text: string) => ({ text, needed: true });
    return [
      needed(this.#options.label),
      ...(share !== undefined && barColumns > 0 ? [{ text: bar(share, barColumns), needed: false }] : []),
      ...(share === undefined ? [] : [needed(`${Math.floor(share * 100)}%`.padStart(4))]),
      ...(isKnown ? [needed(unit === undefined ? counted : `${counted} ${unit}`)] : []),
      ...Object.entries(metrics).map(([name, value]) => ({
        text: `${name} ${formatMetric(value)}`,
        needed: false,
      })),
      ...(left === undefined ? this.#soFar().map(needed) : [needed(`${formatDuration(left)} left`)]),
    ];
  }

  /**
   * Line of at most so many columns: the bar gets shorter, then the last of the parts go that are not needed.
   */
  #line(barColumns: number, columns = Number.POSITIVE_INFINITY): string {
    let parts = this.#parts(barColumns);
    const text = () => parts.map((part) => part.text).join("  ");
    if (visibleWidth(text()) > columns) parts = this.#parts(barColumns / 2);
    while (visibleWidth(text()) > columns) {
      const last = parts.map((part) => part.needed).lastIndexOf(false);
      if (last < 0) break;
      parts.splice(last, 1);
    }
    return truncate(text(), columns);
  }

  #share(): number | undefined {
    const { done = 0, total, share } = this.#state;
    if (share !== undefined) return share;
    return total === undefined || total === 0 ? undefined : Math.min(1, done / total);
  }

  /** Time that was taken, where nobody knows how much is left; as a list of none or one. */
  #soFar(): string[] {
    const milliseconds = this.#now() - this.#start;
    return this.#share() === 1 || milliseconds < LINE_MILLISECONDS
      ? []
      : [`${formatDuration(milliseconds / 1000)} so far`];
  }

  #secondsLeft(): number | undefined {
    const { done = 0, total, left: known } = this.#state;
    if (known !== undefined) return known;
    const made = done - (this.#options.initial ?? 0);
    if (total === undefined || made <= 0 || done >= total) return undefined;
    return ((this.#now() - this.#start) / 1000 / made) * (total - done);
  }
}

/**
 * Passes a stream of events on and shows a progress meanwhile; `describe` gives the update an event means, if
 * any.
 */
export async function* withProgress<Event>(
  events: AsyncIterable<Event>,
  options: ProgressOptions,
  describe: (event: Event) => ProgressUpdate | undefined,
): AsyncGenerator<Event, void, undefined> {
  using progress = new Progress(options);
  for await (const event of events) {
    const update = describe(event);
    if (update !== undefined) progress.update(update);
    yield event;
  }
  progress.finish();
}

/** Seconds as `0.4 s`, `12 s`, `3:05` or `1:02:03`. */
export function formatDuration(seconds: number): string {
  if (!(seconds >= 0)) return "?";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

function bar(share: number, columns: number): string {
  const full = Math.round(share * columns);
  return "━".repeat(full) + "─".repeat(columns - full);
}

function formatMetric(value: number | string): string {
  if (typeof value === "string" || Number.isInteger(value)) return String(value);
  return value.toPrecision(4);
}

function truncate(line: string, columns: number): string {
  const letters = [...line];
  return letters.length <= columns ? line : `${letters.slice(0, Math.max(0, columns - 1)).join("")}…`;
}
