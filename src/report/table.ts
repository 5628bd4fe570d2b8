/** How a cell lies in its column; numbers go right so that their digits line up. */
export type Alignment = "left" | "right";

/** A table: column titles, rows of text or numbers, and the alignment of each column (right where all are numbers). */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  readonly align?: readonly Alignment[];
}

/** What a terminal table may be dressed with, such as picocolors' `bold`; nothing by default. */
export interface TableStyle {
  readonly heading?: (text: string) => string;
  readonly rule?: (text: string) => string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colors are control characters.
const COLOR = /\u001b\[[0-9;]*m/g;
const NUMERIC = /^[~<>≤≥]?\s*[+\-−]?\d[\d.,]*\s*(%|s|ms|x|h|min)?(\s*(±|\+-|\[|\().*)?$/;
const EMPTY = /^(|-|–|—|n\/a)$/;

/**
 * A table as text, without a newline at the end. "markdown" has pipes and is valid in a README; "terminal" has the same
 * columns set apart by spaces. A TypeError names a row that has not one cell for each column.
 */
export function renderTable(table: Table, format: "markdown" | "terminal", style: TableStyle = {}): string {
  const { columns } = table;
  if (columns.length === 0) throw new TypeError("a table must have at least one column, given none");
  const rows = table.rows.map((row, index) => {
    if (row.length === columns.length) return row.map((cell) => cleanCell(String(cell), format));
    throw new TypeError(`row ${index + 1} must have ${columns.length} cells, given ${row.length}: ${row.join(", ")}`);
  });
  const titles = columns.map((title) => cleanCell(title, format));
  const align = columns.map((_, column) => table.align?.[column] ?? guessAlignment(rows.map((row) => row[column]!)));
  const widths = columns.map((_, column) => Math.max(3, ...[titles, ...rows].map((row) => visibleWidth(row[column]!))));
  const line = (cells: readonly string[]) => cells.map((cell, i) => pad(cell, widths[i]!, align[i]!));
  if (format === "markdown") {
    const rule = widths.map((width, i) => (align[i] === "right" ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
    return [line(titles), rule, ...rows.map(line)].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  }
  const { heading = (text) => text, rule = (text) => text } = style;
  return [
    heading(line(titles).join("  ").trimEnd()),
    rule(widths.map((width) => "─".repeat(width)).join("──")),
    ...rows.map((row) => line(row).join("  ").trimEnd()),
  ].join("\n");
}

function cleanCell(text: string, format: "markdown" | "terminal"): string {
  const flat = text.replace(/\r?\n/g, " ").trim();
  return format === "markdown" ? flat.replace(COLOR, "").replace(/\\?\|/g, "\\|") : flat;
}

function guessAlignment(cells: readonly string[]): Alignment {
  const plain = cells.map((cell) => cell.replace(COLOR, "").replace(/\*\*/g, "").trim());
  const filled = plain.filter((cell) => !EMPTY.test(cell));
  return filled.length > 0 && filled.every((cell) => NUMERIC.test(cell)) ? "right" : "left";
}

function pad(text: string, width: number, alignment: Alignment): string {
  const space = " ".repeat(Math.max(0, width - visibleWidth(text)));
  return alignment === "right" ? space + text : text + space;
}

/** Columns that a terminal uses for a text: colors and combining marks none, East Asian wide characters and emoji two. */
export function visibleWidth(text: string): number {
  let width = 0;
  for (const character of text.replace(COLOR, "")) {
    if (/\p{Mark}|\u200b|\u200d/u.test(character)) continue;
    const wide =
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
    width += wide.test(character) ? 2 : 1;
  }
  return width;
}

/** A share in [0, 1] as percent without the sign: `percent(0.9661)` is "96.61". NaN and missing values are "-". */
export function percent(share: number | undefined, digits = 2): string {
  return share === undefined || Number.isNaN(share) ? "-" : (share * 100).toFixed(digits);
}

/** An interval of shares in [0, 1] as percent: `interval(0.955, 0.981, 1)` is "[95.5, 98.1]". */
export function interval(low: number, high: number, digits = 2): string {
  return `[${percent(low, digits)}, ${percent(high, digits)}]`;
}
