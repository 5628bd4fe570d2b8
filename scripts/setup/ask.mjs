// Asking before the system is changed. Where nobody is at a terminal, as in CI, setup goes on by itself.
import { readSync } from "node:fs";

let agreed = false;

/** Takes every later question as answered with yes: `--yes`. */
export function agreeToAll() {
  agreed = true;
}

/** @returns {string} a line of standard input */
function readLine() {
  const buffer = Buffer.alloc(256);
  try {
    return buffer.toString("utf8", 0, readSync(0, buffer));
  } catch {
    // A terminal that is not to be waited for.
    return "";
  }
}

/**
 * Asks on the terminal and returns the answer; Enter means yes, the end of input no.
 * @param {string} question
 * @param {{ terminal?: boolean, read?: () => string, write?: (text: string) => void }} [terminal]
 */
export function agrees(question, terminal = {}) {
  const {
    terminal: isTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true && !process.env.CI,
    read = readLine,
    write = (text) => process.stderr.write(text),
  } = terminal;
  if (agreed || !isTerminal) return true;
  write(`${question} [Y/n] `);
  return /^(y|yes)?\s*\n$/i.test(read());
}
