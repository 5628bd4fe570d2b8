import { longestWord, visibleWidth, withoutColors, wrapWords } from "./words.js";

export { visibleWidth } from "./words.js";

/** Side of its column that a cell lies on; numbers go right so that their digits line up. */
export type Alignment = "left" | "right";

/**
 * Table: column titles, rows of text or numbers, and the alignment of each column (right where all are
 * numbers).
 */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  readonly align?: readonly Alignment[];
  /** Titles of columns that a narrow terminal leaves out, the first of them first. */
  readonly droppable?: readonly string[];
}

/**
 * Dress of a terminal table: functions such as picocolors' `bold`, and the columns of the terminal; none by
 * default.
 */
export interface TableStyle {
  readonly heading?: (text: string) => string;
  readonly rule?: (text: string) => string;
  /**
   * Columns of the terminal: text is wrapped at spaces, and droppable columns go where that is not enough.
   */
  readonly width?: number | undefined;
}

const NUMERIC = /^[~<>≤≥]?\s*[+\-−]?\d[\d.,]*\s*(%|s|ms|x|h|min)?(\s*(±|\+-|\[|\().*)?$/;
const EMPTY = /^(|-|–|—|n\/a)$/;
const GAP = "  ";

/** Column as it is drawn: its cells as text, and their place. */
interface Column {
  readonly title: string;
  readonly cells: readonly string[];
  readonly align: Alignment;
  readonly width: number;
}

/**
 * A table as text, without a newline at the end. "markdown" has pipes and is valid in a README; "terminal"
 * has the same columns set apart by spaces, fitted to `style.width`. A TypeError names a row that has not one
 * cell for each column.
 */
export function renderTable(table: Table, format: "markdown" | "terminal", style: TableStyle = {}): string {
  const { columns: titles } = table;
  if (titles.length === 0) throw new TypeError("a table must have at least one column, given none");
  for (const [index, row] of table.rows.entries()) {
    if (row.length === titles.length) continue;
    throw new TypeError(
      `row ${index + 1} must have ${titles.length} cells, given ${row.length}: ${row.join(", ")}`,
    );
  }
  const columns = columnsOf(table, format);
  return format === "markdown"
    ? markdown(columns)
    : terminal(fitted(columns, table.droppable, style.width), style);
}

/** Titles of the columns that a terminal of so many columns shows: droppable ones may be left out. */
export function shownTitles(table: Table, width: number | undefined): string[] {
  return fitted(columnsOf(table, "terminal"), table.droppable, width).map(({ title }) => title);
}

function columnsOf(table: Table, format: "markdown" | "terminal"): Column[] {
  return table.columns.map((title, i): Column => {
    const cells = table.rows.map((row) => cleanCell(String(row[i]), format));
    const clean = cleanCell(title, format);
    const width = Math.max(3, ...[clean, ...cells].map(visibleWidth));
    return { title: clean, cells, align: table.align?.[i] ?? guessAlignment(cells), width };
  });
}

function markdown(columns: readonly Column[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = columns.map(({ width, align }) =>
    align === "right" ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  const rows = columns[0]!.cells.map((_, row) =>
    line(columns.map((column) => pad(column.cells[row]!, column))),
  );
  return [line(columns.map((column) => pad(column.title, column))), line(rule), ...rows].join("\n");
}

function terminal(columns: readonly Column[], { heading = String, rule = String }: TableStyle): string {
  const lines = (texts: readonly string[]) => {
    const wrapped = columns.map(({ width }, i) => wrapWords(texts[i]!, width));
    const height = Math.max(...wrapped.map(({ length }) => length));
    return Array.from({ length: height }, (_, at) =>
      columns
        .map((column, i) => pad(wrapped[i]![at] ?? "", column))
        .join(GAP)
        .trimEnd(),
    );
  };
  return [
    ...lines(columns.map(({ title }) => title)).map(heading),
    rule(columns.map(({ width }) => "─".repeat(width)).join("──")),
    ...columns[0]!.cells.flatMap((_, row) => lines(columns.map(({ cells }) => cells[row]!))),
  ].join("\n");
}

const total = (widths: readonly number[]) =>
  widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));

/** Width to which text is wrapped before columns are left out. */
const comfortable = 40;

/** Least width of a column. Figures are not wrapped, only their titles. */
function leastWidth({ title, cells, align }: Column): number {
  return Math.max(3, longestWord(title), ...cells.map(align === "right" ? visibleWidth : longestWord));
}

/** Columns that fit a terminal, as far as their longest words let them. */
function fitted(
  given: readonly Column[],
  droppable: readonly string[] = [],
  width = Number.POSITIVE_INFINITY,
) {
  const leaving = [...droppable];
  const readable = (column: Column) => Math.min(column.width, Math.max(leastWidth(column), comfortable));
  let columns = given;
  while (total(columns.map(readable)) > width && leaving.length > 0) {
    const title = leaving.shift();
    columns = columns.filter((column) => column.title !== title);
  }
  const widths = columns.map((column) => column.width);
  const least = columns.map(leastWidth);
  for (let excess = total(widths) - width; excess > 0; excess--) {
    const room = widths.map((size, i) => (size > least[i]! ? size : 0));
    const widest = room.indexOf(Math.max(...room));
    if (room[widest] === 0) break;
    widths[widest]!--;
  }
  return columns.map((column, i) => ({ ...column, width: widths[i]! }));
}

function cleanCell(text: string, format: "markdown" | "terminal"): string {
  const flat = text.replace(/\r?\n/g, " ").trim();
  return format === "markdown" ? withoutColors(flat).replace(/\\?\|/g, "\\|") : flat;
}

function guessAlignment(cells: readonly string[]): Alignment {
  const plain = cells.map((cell) => withoutColors(cell).replace(/\*\*/g, "").trim());
  const filled = plain.filter((cell) => !EMPTY.test(cell));
  return filled.length > 0 && filled.every((cell) => NUMERIC.test(cell)) ? "right" : "left";
}

function pad(text: string, { width, align }: Column): string {
  const space = " ".repeat(Math.max(0, width - visibleWidth(text)));
  return align === "right" ? space + text : text + space;
}

/**
 * A share in [0, 1] as percent without the sign: `percent(0.9661)` is "96.61". NaN and missing values are
 * "-".
 */
export function percent(share: number | undefined, digits = 2): string {
  return share === undefined || Number.isNaN(share) ? "-" : (share * 100).toFixed(digits);
}

/** A share in [0, 1] as text, such as "83.2 %". */
export function shareText(share: number, digits = 1): string {
  return `${percent(share, digits)} %`;
}

/** An interval of shares in [0, 1] as percent: `interval(0.955, 0.981, 1)` is "[95.5, 98.1]". */
export function interval(low: number, high: number, digits = 2): string {
  return `[${percent(low, digits)}, ${percent(high, digits)}]`;
}
