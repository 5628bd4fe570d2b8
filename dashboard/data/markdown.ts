/** Part of a table's text: a heading, a paragraph, or a table. */
export type Block =
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "table"; readonly rows: readonly (readonly string[])[] };

const cells = (line: string) =>
  line
    .replace(/^\|/, "")
    .replace(/\|\s*$/, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));

const isRule = (line: string) => /^\|[\s:|-]+\|$/.test(line);

/** Blocks of the Markdown that tables are written in. All of it is shown as text. */
export function blocksOf(markdown: string): Block[] {
  return markdown
    .split(/\n{2,}/)
    .map((block) => block.trim())
    .filter(Boolean)
    .map((block): Block => {
      if (block.startsWith("#")) return { kind: "heading", text: block.replace(/^#+\s*/, "") };
      if (!block.startsWith("|")) return { kind: "paragraph", text: block.replaceAll("\n", " ") };
      const lines = block.split("\n").filter((line) => !isRule(line));
      return { kind: "table", rows: lines.map(cells) };
    });
}
