// What set-up says, always on stderr: `sqa evaluate --json` owns stdout.

/** A set-up step that cannot go on; the message is one line that says what to do. */
export class SetupError extends Error {}

/** Prints one line of progress. @param {string} line */
export function say(line) {
  process.stderr.write(`${line}\n`);
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
