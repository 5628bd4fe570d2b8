import pc from "picocolors";

/** What the command line needs of a stream; `process.stdout` and `process.stderr` are such. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** Where output goes and how: the parts of `configureOutput` that are left out stay as they are. */
export interface OutputSettings {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly quiet: boolean;
  readonly color: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const CLEAR_LINE = "\r\u001b[2K";
const CLEAR_LINE_ABOVE = "\u001b[1A\u001b[2K";

let settings: OutputSettings = {
  stdout: process.stdout,
  stderr: process.stderr,
  quiet: false,
  color: true,
  environment: process.env,
};
/** The lines at the bottom of the terminal, by whom they belong to. */
const liveLines = new Map<object, string>();
/** How many of them are on the terminal. */
let drawnLines = 0;

/** Change where output goes; returns a function that puts everything back. */
export function configureOutput(changes: Partial<OutputSettings>): () => void {
  const before = settings;
  settings = { ...settings, ...changes };
  return () => {
    settings = before;
  };
}

/** A result: one text and a newline to standard output. */
export function out(text: string): void {
  aroundLiveLine(() => settings.stdout.write(`${text}\n`));
}

/** A remark for people: to standard error, nothing with `--quiet`. */
export function note(text: string): void {
  if (!settings.quiet) warn(text);
}

/** A warning or an error: to standard error, also with `--quiet`. */
export function warn(text: string): void {
  aroundLiveLine(() => settings.stderr.write(`${text}\n`));
}

/** Show an owner's line at the bottom of the terminal in place of the one before; undefined takes it away. */
export function showLiveLine(owner: object, line: string | undefined): void {
  if (liveLines.get(owner) === line) return;
  const clear = clearLiveLines();
  if (line === undefined) liveLines.delete(owner);
  else liveLines.set(owner, line);
  settings.stderr.write(clear + drawLiveLines());
}

/** Take every live line away. */
export function removeLiveLines(): void {
  for (const owner of [...liveLines.keys()]) showLiveLine(owner, undefined);
}

function aroundLiveLine(write: () => void): void {
  const shown = liveLines.size > 0;
  if (shown) settings.stderr.write(clearLiveLines());
  write();
  if (shown) settings.stderr.write(drawLiveLines());
}

/** The text that draws the live lines: the first ones where not all fit, since what has scrolled away cannot be cleared. */
function drawLiveLines(): string {
  const { rows } = settings.stderr;
  // Some terminals say 0 where they do not know.
  const lines = [...liveLines.values()].slice(0, rows ? Math.max(1, rows - 1) : undefined);
  drawnLines = lines.length;
  return lines.join("\n");
}

const clearLiveLines = () => (drawnLines === 0 ? "" : CLEAR_LINE + CLEAR_LINE_ABOVE.repeat(drawnLines - 1));

/** Whether progress is wanted, may be redrawn in place, and how many columns it has. */
export function progressStyle(): { readonly quiet: boolean; readonly terminal: boolean; readonly columns: number } {
  const { stderr, quiet, environment } = settings;
  return { quiet, terminal: stderr.isTTY === true && environment.TERM !== "dumb", columns: stderr.columns ?? 80 };
}

/** Columns that help texts and tables may use. */
export function outputWidth(): number {
  return settings.stdout.isTTY === true ? (settings.stdout.columns ?? 80) : 100;
}

/** picocolors for a stream: plain text unless it is a terminal, and never with `NO_COLOR` or `--no-color`. */
export function colors(stream: "stdout" | "stderr" = "stdout"): ReturnType<typeof pc.createColors> {
  const { color, environment } = settings;
  // https://no-color.org: any value but the empty one counts.
  const wanted = color && !environment.NO_COLOR && environment.TERM !== "dumb";
  return pc.createColors(wanted && settings[stream].isTTY === true);
}

/** End quietly when the reader of a pipe goes away, as `sqa list | head` makes it, and with one line on a full disk. */
export function endOnClosedPipe(exit: (code: number) => void = process.exit): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") return exit(0);
      if (stream !== process.stderr) process.stderr.write(`error: cannot write the output: ${error.message}\n`);
      exit(1);
    });
  }
}
