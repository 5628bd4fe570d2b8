import { decode } from "fast-png";
import { expect, it } from "vitest";
import { html, htmlFacts, htmlImage, htmlPage, htmlTable } from "../../src/report/html.js";
import { imagePng } from "../../src/report/image-png.js";

it("escapes values, but not HTML made by it", () => {
  const inner = html`<b>${"a < b & 'c' > \"d\""}</b>`;
  expect(inner.html).toBe("<b>a &lt; b &amp; &#39;c&#39; &gt; &quot;d&quot;</b>");
  expect(html`<p>${inner}${3}</p>`.html).toBe(`<p>${inner.html}3</p>`);
  expect(html`<p>${[inner, inner]}</p>`.html).toBe(`<p>${inner.html}\n${inner.html}</p>`);
});

it("makes tables of text, numbers and HTML", () => {
  const table = htmlTable(
    ["a<b", "c"],
    [
      ["<script>", 2],
      [html`<i>x</i>`, "y"],
    ],
  );
  expect(table.html).toBe(
    '<section class="wide" tabindex="0" aria-label="a&lt;b, c">\n<table><thead><tr>' +
      "<th>a&lt;b</th>\n<th>c</th></tr></thead><tbody>" +
      "<tr><td>&lt;script&gt;</td>\n<td>2</td></tr>\n<tr><td><i>x</i></td>\n<td>y</td></tr>" +
      "</tbody></table></section>",
  );
});

it("makes tables of facts, whose name and names of rows a screen reader says", () => {
  expect(htmlFacts("Model", [["a<b", "c>d"]]).html).toBe(
    '<section class="wide" tabindex="0" aria-label="Model">\n<table><tbody>' +
      '<tr><th scope="row">a&lt;b</th><td>c&gt;d</td></tr></tbody></table></section>',
  );
});

it("carries images within, with a title that cannot break out of its quotes", () => {
  const png = imagePng(Uint8Array.of(0, 255), [1, 1, 2]);
  const { html: text } = htmlImage(png, '" onload="x');
  expect(text).toContain('title="&quot; onload=&quot;x"');
  const [, data] = /src="data:image\/png;base64,([^"]+)"/.exec(text)!;
  expect([...decode(Buffer.from(data!, "base64")).data]).toEqual([0, 255]);
});

it("makes a page that loads nothing from elsewhere", () => {
  const page = htmlPage("A & B", [html`<p>body</p>`]);
  expect(page).toMatch(/^<!doctype html>/);
  expect(page).toContain("<title>A &amp; B</title>");
  expect(page).toContain("<p>body</p>");
  expect(page).not.toMatch(/https?:|src=|href=|@import|url\(/);
});
