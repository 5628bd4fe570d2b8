import { CHART_FONT } from "./palette.js";

/** HTML that needs no escaping any more. */
export interface Html {
  readonly html: string;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => entities[letter]!);
}

/** A template whose values are escaped unless they are Html; lists are joined. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | number | Html | readonly Html[])[]
): Html {
  const text = (value: string | number | Html | readonly Html[]): string => {
    if (typeof value === "string" || typeof value === "number") return escapeHtml(String(value));
    return "html" in value ? value.html : value.map((one) => one.html).join("\n");
  };
  return { html: parts.map((part, i) => part + (i < values.length ? text(values[i]!) : "")).join("") };
}

/** A table of text cells; a cell may be Html. */
export function htmlTable(
  columns: readonly string[],
  rows: readonly (readonly (string | number | Html)[])[],
): Html {
  const head = columns.map((column) => html`<th>${column}</th>`);
  const body = rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`);
  return html`<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

/** An image of a PNG's bytes that the page carries within itself. */
export function htmlImage(png: Uint8Array, title: string): Html {
  const source = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  return html`<img alt="${title}" title="${title}" src="${source}">`;
}

const style = `
body { font: 15px/1.5 ${CHART_FONT}; color: #1f2933; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid #e4e7eb; }
th { color: #52606d; font-weight: normal; }
.masked, .invalid, .overstated { color: #b42318; } .noted { color: #8a5a00; }
.passed { color: #1b6e3c; } .skipped { color: #7b8794; }
.verdict { font-size: 1.2rem; font-weight: bold; }
.charts { display: flex; flex-wrap: wrap; align-items: flex-start; }
.images { display: flex; flex-wrap: wrap; gap: .5rem 1.1rem; } figure { margin: 0; }
figcaption { font-size: 11px; color: #52606d; max-width: 220px; }
img { image-rendering: pixelated; margin-right: 2px; } svg { max-width: 100%; height: auto; }`;

/** A whole page that loads nothing from anywhere. */
export function htmlPage(title: string, body: readonly Html[]): string {
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${{ html: style }}</style></head><body>
${body}
</body></html>
`;
  return page.html;
}
