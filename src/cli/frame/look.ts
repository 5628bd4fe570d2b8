import { renderTable, shownTitles, type Table, type TableStyle, wrapWords } from "../../report/index.js";
import { type Colors, colors, note, out, outputWidth, tableWidth, warn } from "./output.js";
import { shownPath } from "./shown-path.js";

// The look of the terminal, the same for every command; bars are those of `Progress`.

/** Style of tables: bold titles, a dim rule, as wide as the terminal. */
export function tableStyle(): TableStyle {
  const { bold, dim } = colors();
  return { heading: bold, rule: dim, width: tableWidth() };
}

/** Table as it is printed. */
export function shownTable(table: Table): string {
  return renderTable(table, "terminal", tableStyle());
}

/** Titles of the columns of a table that are printed: a narrow terminal leaves some out. */
export function printedTitles(table: Table): string[] {
  return shownTitles(table, tableWidth());
}

/** Form of a report's text. */
export function reportForm(): { readonly width: number; readonly colors: Colors } {
  return { width: outputWidth(), colors: colors() };
}

/** Texts in lines that the output has room for; lines that go on are indented. */
export function shownLines(texts: readonly string[]): string[] {
  const width = tableWidth() ?? 110;
  return texts.flatMap((text) => wrapWords(text, width, 2));
}

/** Tone of a remark: good and bad news, what needs care, and what stands beside the matter. */
export type Tone = "good" | "care" | "bad" | "aside";

const painted = { good: "green", care: "yellow", bad: "red", aside: "dim" } as const;

/** Text in a tone. */
export function toned(tone: Tone, text: string, stream: "stdout" | "stderr" = "stdout"): string {
  return colors(stream)[painted[tone]](text);
}

/** Prints a conclusion, in bold: what the lines above come to. */
export function conclude(tone: Tone, text: string): void {
  out(colors().bold(toned(tone, text)));
}

/** Says a remark that does not hinder the work, after the word `warning:`; also with `--quiet`. */
export function sayWarning(text: string, of = ""): void {
  warn(`${toned("care", `${of}warning:`, "stderr")} ${text}`);
}

/** Says what a reader of figures should know, after the word `note`; also with `--quiet`. */
export function sayNote(text: string): void {
  warn(`${toned("care", "note", "stderr")} ${text}`);
}

/** Says what is wrong with a run, which the reader must not miss; also with `--quiet`. */
export function sayAlarm(text: string): void {
  warn(colors("stderr").bold(toned("bad", text, "stderr")));
}

/** Says that work was stopped where it can go on; also with `--quiet`. */
export function sayStopped(): void {
  warn("stopped: the same command resumes the work");
}

/** Says which processes of the work ended before their end, and that the rest can still be done. */
export function sayEnded(faults: readonly Error[]): void {
  for (const { message } of faults) warn(message);
  warn("what is finished is kept: the same command does the rest");
}

/** Says that a file was written. */
export function sayWritten(file: string): void {
  note(`written: ${shownPath(file)}`);
}

/** Says what is done next, after the word `next:`. */
export function sayNext(text: string): void {
  note(`${toned("aside", "next:", "stderr")} ${text}`);
}
