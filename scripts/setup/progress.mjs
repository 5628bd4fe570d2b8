// What setup says, always on stderr: `sqa evaluate --json` owns stdout.

/** A setup step that cannot go on; the message is one line that says what to do. */
export class SetupError extends Error {}

/**
 * Prints a line; characters of a path or of another program that would act on the terminal are escaped.
 * @param {string} line
 */
export function say(line) {
  // As src/base/printable.ts, which is not compiled yet; tabs stay, which compilers write.
  const unprintable =
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
  const code = (/** @type {string} */ character) => character.charCodeAt(0).toString(16).padStart(4, "0");
  process.stderr.write(`${line.replace(unprintable, (character) => `\\u${code(character)}`)}\n`);
}

/**
 * Prints `line ...`, runs the step, then prints how long it took.
 * @template T @param {string} line @param {() => T} step @returns {T}
 */
export function timed(line, step) {
  say(`${line} ...`);
  const begun = Date.now();
  const result = step();
  say(`  done in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  return result;
}
