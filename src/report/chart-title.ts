/** A chart's title and the lines below it, broken where they would be wider than `width` pixels. */
export function chartTitle(title: string, subtitle: readonly string[], width: number) {
  return { text: wrap(title, width / 11), subtitle: subtitle.flatMap((line) => wrap(line, width / 9.6)) };
}

/**
 * Without a canvas vega reserves 0.8 em for every letter, so a longer line would leave an empty margin at the
 * right.
 */
function wrap(text: string, letters: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= letters)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
