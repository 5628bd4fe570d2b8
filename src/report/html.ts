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

/** A table that on a narrow window scrolls sideways, by keyboard as well; a screen reader says its name. */
const wideTable = (name: string, parts: Html) =>
  html`<section class="wide" tabindex="0" aria-label="${name}">\n<table>${parts}</table></section>`;

/** A table of text cells; a cell may be Html. */
export function htmlTable(
  columns: readonly string[],
  rows: readonly (readonly (string | number | Html)[])[],
): Html {
  const head = columns.map((column) => html`<th>${column}</th>`);
  const body = rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`);
  return wideTable(columns.join(", "), html`<thead><tr>${head}</tr></thead><tbody>${body}</tbody>`);
}

/** A table of names and values, which has no line of titles. */
export function htmlFacts(name: string, rows: readonly (readonly [string, string])[]): Html {
  const body = rows.map(([fact, value]) => html`<tr><th scope="row">${fact}</th><td>${value}</td></tr>`);
  return wideTable(name, html`<tbody>${body}</tbody>`);
}

/** An image of a PNG's bytes that the page carries within itself. */
export function htmlImage(png: Uint8Array, title: string): Html {
  const source = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  return html`<img alt="${title}" title="${title}" src="${source}">`;
}

const style = `
:root { color-scheme: light dark; --ink: #1f2933; --muted: #52606d; --rule: #e4e7eb; --page: #fff;
--red: #b42318; --amber: #8a5a00; --green: #1b6e3c; --gray: #616e7c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --muted: #a6b1bd; --rule: #36414d;
--page: #151b22; --red: #ff9a8d; --amber: #f0c060; --green: #7bd8a0; --gray: #9aa5b1; } }
body { font: 15px/1.5 ${CHART_FONT}; color: var(--ink); background: var(--page); max-width: 1080px;
margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--rule);
overflow-wrap: normal; }
td { overflow-wrap: anywhere; min-width: 3.5rem; }
th, .source, figcaption { color: var(--muted); } th { font-weight: normal; } a { color: inherit; }
.masked, .invalid { color: var(--red); } .noted { color: var(--amber); }
.passed { color: var(--green); } .skipped { color: var(--gray); }
.verdict { border: 1px solid; border-left-width: 6px; border-radius: 4px; padding: .2rem 1rem;
margin: 1rem 0; }
.verdict p:first-child { font-size: 1.15rem; } .verdict ul, .plain { color: var(--ink); }
.line { display: grid; grid-template-columns: 5.5rem 1fr; border-bottom: 1px solid var(--rule);
padding: .5rem 0; }
.line p { margin: .2rem 0; } .source { font-size: 12px; } summary { cursor: pointer; padding: .6rem 0; }
.chart { background: #fff; border-radius: 4px; overflow-x: auto; }
.charts { display: flex; flex-wrap: wrap; align-items: flex-start; gap: .5rem; }
.images { display: flex; flex-wrap: wrap; gap: .8rem 1.1rem; } figure { margin: 0; max-width: 100%; }
figcaption { font-size: 11px; max-width: 220px; } figcaption strong { font-size: 13px; color: var(--ink); }
.zoom { cursor: zoom-in; display: block; } .zoom:has(:checked) { cursor: zoom-out; }
.zoom input { position: absolute; opacity: 0; } .zoom:focus-within { outline: 2px solid; }
.zoom input:checked ~ img { width: min(320px, 30vw); height: auto; }
img { image-rendering: pixelated; margin-right: 2px; max-width: 100%; } svg { max-width: 100%; height: auto; }
@media (max-width: 600px) { .line { grid-template-columns: 1fr; } body { margin: 1rem auto; } }
@media print { :root { color-scheme: light; --ink: #000; --muted: #333; --rule: #999; --page: #fff;
--red: #8f1a10; --amber: #6b4500; --green: #124d2a; --gray: #444; } body { max-width: none; font-size: 11px; }
figure, .line, .chart, tr { break-inside: avoid; } h2 { break-after: avoid; }
details::details-content { content-visibility: visible; height: auto; } }`;

/** A whole page that loads nothing from anywhere. */
export function htmlPage(title: string, body: readonly Html[]): string {
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${{ html: style }}</style></head><body>
${body}
</body></html>
`;
  return page.html;
}
