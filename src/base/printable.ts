/**
 * Characters that a terminal obeys, or by which a name reads as another: control characters but the newline,
 * marks of writing direction, line separators and the byte order mark.
 */
const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Returns text of unknown origin as a terminal may be given it: characters that would act are written as
 * their codes, `\u001b`, which JSON reads as the characters. Newlines stay.
 */
export function printable(text: string): string {
  return text.replace(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Returns at most `most` UTF-16 units of a text: its beginning and its end, since a path's end says most. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.floor(most / 4);
  // Half of a character above 2^16 is none.
  const head = text.slice(0, most - end - 1).replace(/[\ud800-\udbff]$/, "");
  return `${head}…${text.slice(-end).replace(/^[\udc00-\udfff]/, "")}`;
}

/** Returns a name out of a file as an error shows it: printable, in one line, cut to some 200 characters. */
export function shownName(name: string): string {
  return printable(shortened(name, 200)).replaceAll("\n", "\\u000a");
}

/** Number with its thing, in the singular or the plural: "1 seed", "3 seeds", "2 axes". */
export function countText(count: number, thing: string, several = `${thing}s`): string {
  return `${count} ${count === 1 ? thing : several}`;
}
