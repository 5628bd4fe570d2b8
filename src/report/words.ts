// biome-ignore lint/suspicious/noControlCharactersInRegex: colors are control characters.
const COLOR = /\u001b\[([0-9]+)([0-9;]*)m/g;

/** Text without its colors. */
export function withoutColors(text: string): string {
  return text.replace(COLOR, "");
}

/** East Asian wide characters, full-width forms and emoji. */
const wideRanges =
  "\\u1100-\\u115f\\u2e80-\\ua4cf\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe30-\\ufe6f\\uff00-\\uff60\\uffe0-\\uffe6";
const wide = new RegExp(`[${wideRanges}]|\\p{Emoji_Presentation}`, "u");

/**
 * Columns that a terminal uses for a text: colors and combining marks none, East Asian wide characters and
 * emoji two.
 */
export function visibleWidth(text: string): number {
  let width = 0;
  for (const character of withoutColors(text)) {
    if (/\p{Mark}|\u200b|\u200d/u.test(character)) continue;
    width += wide.test(character) ? 2 : 1;
  }
  return width;
}

/** Width of a text's longest word. */
export function longestWord(text: string): number {
  return Math.max(0, ...withoutColors(text).split(/\s+/).map(visibleWidth));
}

/** Code that ends the color or style that another code begins; it may carry parameters of its own. */
function endOf([, number, rest]: readonly string[]): string {
  const begun = Number(number);
  const end = begun <= 2 ? 22 : begun < 10 ? 20 + begun : begun % 60 < 40 ? 39 : 49;
  return `\u001b[${end}${rest}m`;
}

/** Colors and styles that are on behind a text, given those that were on before it. */
function openBehind(text: string, before: readonly RegExpExecArray[]): RegExpExecArray[] {
  const open = [...before];
  for (const code of text.matchAll(COLOR)) {
    const last = open.map(endOf).lastIndexOf(code[0]);
    if (last >= 0) open.splice(last, 1);
    else open.push(code);
  }
  return open;
}

/**
 * Lines of a text, broken at spaces where they are wider than `width`; a word that is wider, such as a path,
 * stays whole. Colors end with a line, and begin again on the next.
 *
 * @param indent spaces before each line but the first of a paragraph
 */
export function wrapWords(text: string, width: number, indent = 0): string[] {
  return text.split("\n").flatMap((paragraph) => wrapParagraph(paragraph, width, indent));
}

function wrapParagraph(text: string, width: number, indent: number): string[] {
  const lines: string[] = [];
  const margin = " ".repeat(indent);
  let line = "";
  let used = 0;
  let open: RegExpExecArray[] = [];
  for (const part of text.split(/(?<=\S)(?= )/)) {
    // Each part but the first begins with the spaces before its word.
    const size = visibleWidth(part);
    const isFirst = line === "";
    if (!isFirst && used + size > width) {
      lines.push(line + open.map(endOf).reverse().join(""));
      const word = part.trimStart();
      line = margin + open.map(([code]) => code).join("") + word;
      used = indent + visibleWidth(word);
    } else {
      line += part;
      used += size;
    }
    open = openBehind(part, open);
  }
  return [...lines, line];
}
