import { renderTable, type Table, type TableStyle } from "./table.js";
import { visibleWidth } from "./words.js";

/** Columns of a table, the `lead` first of all and those from `from` up to `to`. */
function columnsOf({ columns, rows, align }: Table, lead: number, from: number, to: number): Table {
  const pick = <T>(cells: readonly T[]): T[] => [...cells.slice(0, lead), ...cells.slice(from, to)];
  return {
    columns: pick(columns),
    rows: rows.map(pick),
    ...(align === undefined ? {} : { align: pick(align) }),
  };
}

/**
 * Table with its first two columns as one: names of the first stand on lines of their own, above those of the
 * second.
 */
function stacked({ columns: [first, second, ...columns], rows, align }: Table): Table {
  const lines = rows.flatMap(([name, line, ...cells]) => {
    const own = [line!, ...cells];
    return name === "" ? [own] : [[name!, ...cells.map(() => "")], own];
  });
  const title = [first!, second!].filter((text) => text !== "").join(", ");
  return {
    columns: [title, ...columns],
    rows: lines,
    ...(align === undefined ? {} : { align: align.slice(1) }),
  };
}

/** Tells whether a table fits a width with each row in a line. */
function fits(text: string, rows: number, width: number): boolean {
  const lines = text.split("\n");
  const body = lines.length - 1 - lines.findIndex((line) => line.includes("───"));
  return body === rows && lines.every((line) => visibleWidth(line) <= width);
}

/**
 * Table for a terminal of `style.width` columns. Where it is wider, its columns go on in further blocks
 * below, each with the `lead` first columns, which name the rows: no figure is left out.
 *
 * @param lead 0 to 2
 */
export function renderBlocks(table: Table, lead: number, style: TableStyle = {}): string {
  const { width = Number.POSITIVE_INFINITY } = style;
  const whole = renderTable(table, "terminal", style);
  if (fits(whole, table.rows.length, width)) return whole;
  const [narrow, names] = lead === 2 ? [stacked(table), 1] : [table, lead];
  const count = narrow.columns.length;
  const blocks: string[] = [];
  for (let from = names; from < count; ) {
    let to = count;
    const render = () => renderTable(columnsOf(narrow, names, from, to), "terminal", style);
    let text = render();
    while (to > from + 1 && !fits(text, narrow.rows.length, width)) {
      to--;
      text = render();
    }
    blocks.push(text);
    from = to;
  }
  return blocks.join("\n\n");
}
