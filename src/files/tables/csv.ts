import { FileFormatError, shownName } from "../../base/index.js";

/** Row of a CSV file, with the number of its first line. */
export interface CsvRow {
  readonly line: number;
  readonly fields: readonly string[];
}

const mostRows = 10_000_000;
const mostFields = 256;

/**
 * Rows of a CSV file (RFC 4180: fields with commas, quotes or line ends stand in quotes, where a quote is
 * written twice). Empty lines are left out, as are blanks around fields and their quotes.
 *
 * Throws a FileFormatError that begins with `file` and the line for a quote that is not closed, text behind a
 * closing quote, and bytes that are no UTF-8.
 */
export function parseCsv(bytes: Uint8Array, file: string): CsvRow[] {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new FileFormatError(`${file}: not text in UTF-8`);
  }
  const rows: CsvRow[] = [];
  let line = 1;
  let at = 0;
  const refuse = (problem: string) => new FileFormatError(`${file}:${line}: ${problem}`);
  while (at < text.length) {
    const first = line;
    const fields: string[] = [];
    for (;;) {
      at = afterBlanks(at);
      fields.push(text[at] === '"' ? quoted() : plain());
      if (fields.length > mostFields) throw refuse(`more than ${mostFields} fields`);
      if (text[at] !== ",") break;
      at++;
    }
    if (text[at] === "\r") at++;
    if (text[at] === "\n") at++;
    line++;
    if (fields.length > 1 || fields[0] !== "") rows.push({ line: first, fields });
    if (rows.length > mostRows) throw refuse(`more than ${mostRows} rows`);
  }
  return rows;

  /** Place of what follows blanks, which people put beside commas; those in quotes belong to a field. */
  function afterBlanks(from: number): number {
    let next = from;
    while (text[next] === " " || text[next] === "\t") next++;
    return next;
  }

  function plain(): string {
    const ends = /[,\r\n]/g;
    ends.lastIndex = at;
    const end = ends.exec(text)?.index ?? text.length;
    const field = text.slice(at, end);
    if (field.includes("\0")) throw refuse("a field holds a NUL character");
    at = end;
    return field.trim();
  }

  function quoted(): string {
    let field = "";
    for (at++; ; ) {
      const end = text.indexOf('"', at);
      if (end < 0) throw refuse("a quote is not closed");
      field += text.slice(at, end);
      at = end + 1;
      if (text[at] !== '"') break;
      field += '"';
      at++;
    }
    for (const character of field) if (character === "\n") line++;
    at = afterBlanks(at);
    if (at < text.length && !/[,\r\n]/.test(text[at]!))
      throw refuse(`text follows a closing quote: ${shownName(text.slice(at, at + 20))}`);
    if (field.includes("\0")) throw refuse("a field holds a NUL character");
    return field;
  }
}
