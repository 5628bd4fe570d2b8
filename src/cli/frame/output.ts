import { randomInt } from "node:crypto";
import pc from "picocolors";
import { printable, shortened } from "../../base/index.js";
import { endProcess } from "./ending.js";
import { exitCode } from "./exit-code.js";

/** Stream as the command line needs it; `process.stdout` and `process.stderr` fit. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** Streams and form of output: parts that `configureOutput` is not given stay as they are. */
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
/** Number of them that are on the terminal. */
let drawnLines = 0;

/** Changes where output goes; returns a function that puts everything back. */
export function configureOutput(changes: Partial<OutputSettings>): () => void {
  const before = settings;
  settings = { ...settings, ...changes };
  return () => {
    settings = before;
  };
}

/** A result: one text and a newline to standard output. */
export function out(text: string): void {
  aroundLiveLine(() => settings.stdout.write(`${onlyOwnCodes(text)}\n`));
}

/** A remark for people: to standard error, nothing with `--quiet`. */
export function note(text: string): void {
  if (!settings.quiet) warn(text);
}

/** A warning or an error: to standard error, also with `--quiet`; long names in it are cut. */
export function warn(text: string): void {
  const words = shortened(text, LONGEST_TEXT).replace(LONG_WORD, (word) => shortened(word, LONGEST_WORD));
  aroundLiveLine(() => settings.stderr.write(`${onlyOwnCodes(words)}\n`));
}

/** Longer than names and paths need to be; a file may hold some to fill a screen. */
const LONGEST_WORD = 200;
const LONG_WORD = new RegExp(`\\S{${LONGEST_WORD + 1},}`, "g");
const LONGEST_TEXT = 16_384;

/**
 * Tells codes of `colors`, `ESC [ 1 ; SIGNATURE m`, from those that a name brings along, which cannot know
 * it. Whoever measures a text's width takes such a code for a color's.
 */
const SIGNATURE = randomInt(2 ** 40, 2 ** 47);
const OWN_CODE = new RegExp(`\u001b\\[(\\d+);${SIGNATURE}m`);

/** Text for a terminal: of all control characters only the newline and the codes of `colors` act. */
function onlyOwnCodes(text: string): string {
  return text
    .split(OWN_CODE)
    .map((part, index) => (index % 2 === 0 ? printable(part) : `\u001b[${part}m`))
    .join("");
}

/** Shows an owner's line at the bottom of the terminal in place of the one before; undefined removes it. */
export function showLiveLine(owner: object, line: string | undefined): void {
  if (liveLines.get(owner) === line) return;
  const clear = clearLiveLines();
  if (line === undefined) liveLines.delete(owner);
  else liveLines.set(owner, onlyOwnCodes(line).replaceAll("\n", " "));
  settings.stderr.write(clear + drawLiveLines());
}

/** Takes every live line away. */
export function removeLiveLines(): void {
  for (const owner of [...liveLines.keys()]) showLiveLine(owner, undefined);
}

function aroundLiveLine(write: () => void): void {
  const shown = liveLines.size > 0;
  if (shown) settings.stderr.write(clearLiveLines());
  write();
  if (shown) settings.stderr.write(drawLiveLines());
}

/**
 * The text that draws the live lines: the first ones where not all fit, since what has scrolled away cannot
 * be cleared.
 */
function drawLiveLines(): string {
  const { rows } = settings.stderr;
  // Some terminals say 0 where they do not know.
  const lines = [...liveLines.values()].slice(0, rows ? Math.max(1, rows - 1) : undefined);
  drawnLines = lines.length;
  return lines.join("\n");
}

const clearLiveLines = () => (drawnLines === 0 ? "" : CLEAR_LINE + CLEAR_LINE_ABOVE.repeat(drawnLines - 1));

/** Columns of a terminal; 80 where it does not know, or says 0 as one without a window does. */
const columnsOf = ({ columns }: OutputStream) => columns || 80;

/** Columns that tables may use on a terminal; undefined elsewhere, where programs may read them. */
export function tableWidth(): number | undefined {
  return settings.stdout.isTTY === true ? columnsOf(settings.stdout) : undefined;
}

/** Form of progress: none where quiet, redrawn in place on a terminal, of so many columns. */
export function progressStyle(): {
  readonly quiet: boolean;
  readonly terminal: boolean;
  readonly columns: number;
} {
  const { stderr, quiet, environment } = settings;
  return {
    quiet,
    terminal: stderr.isTTY === true && environment.TERM !== "dumb",
    columns: columnsOf(stderr),
  };
}

/** Columns that help texts and tables may use. */
export function outputWidth(): number {
  return tableWidth() ?? 100;
}

const STYLES = ["bold", "dim", "red", "green", "yellow"] as const;

/** Functions that dress a text for `out`, `note` and `warn`. */
export type Colors = Readonly<Record<(typeof STYLES)[number], (text: string) => string>>;

/** Colors for a stream: plain text unless it is a terminal, and never with `NO_COLOR` or `--no-color`. */
export function colors(stream: "stdout" | "stderr" = "stdout"): Colors {
  const { color, environment } = settings;
  // https://no-color.org: any value but the empty one counts.
  const wanted = color && !environment.NO_COLOR && environment.TERM !== "dumb";
  const isColored = wanted && settings[stream].isTTY === true;
  return Object.fromEntries(
    STYLES.map((style) => [style, isColored ? signed(style) : String]),
  ) as unknown as Colors;
}

/** A style of picocolors whose codes are signed. */
function signed(style: (typeof STYLES)[number]): (text: string) => string {
  const [begin, end] = pc.createColors(true)[style]("|").replaceAll("m", `;${SIGNATURE}m`).split("|") as [
    string,
    string,
  ];
  // A style within, which ends the one around it as well, is followed by it anew.
  return (text) => begin + text.replaceAll(end, end + begin) + end;
}

/**
 * Heeds output that breaks. When the reader of a pipe goes away, as `sqa list | head` makes it, the process
 * ends quietly, and on a full disk with one line; a command whose work is kept saves it first.
 */
export function watchOutput(failure: number = exitCode.failed): void {
  let isBroken = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (isBroken) return;
      isBroken = true;
      // A terminal that has closed answers EIO.
      const isClosed = error.code === "EPIPE" || (error.code === "EIO" && stream.isTTY);
      if (isClosed) return endProcess("closed output", { atOnce: exitCode.done, saved: exitCode.stopped });
      if (stream !== process.stderr)
        process.stderr.write(`error: cannot write the output: ${error.message}\n`);
      endProcess("output that cannot be written", { atOnce: failure, saved: failure });
    });
  }
}
