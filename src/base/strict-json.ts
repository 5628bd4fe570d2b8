import { messageOf } from "./errors.js";

/** JSON text that cannot be trusted was refused: the message says why. */
export class StrictJsonError extends Error {
  override readonly name = "StrictJsonError";
}

const quote = 0x22;
const backslash = 0x5c;

/** The index just after the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === quote) return index + 1;
    index += code === backslash ? 2 : 1;
  }
  throw new StrictJsonError("it ends inside a string");
}

function decodeKey(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw new StrictJsonError(`${text.slice(0, 80)} is not a string of JSON`);
  }
}

const keyFollows = /[ \t\n\r]*:/y;

/** Refuses what `JSON.parse` lets through: deep nesting, repeated keys, and the key `__proto__`. */
function checkStructure(text: string, maxDepth: number): void {
  const open: Set<string>[] = [];
  let index = 0;
  while (index < text.length) {
    const character = text[index];
    if (character === '"') {
      const end = endOfString(text, index);
      keyFollows.lastIndex = end;
      if (keyFollows.test(text)) {
        const key = decodeKey(text.slice(index, end));
        if (key === "__proto__") throw new StrictJsonError('the key "__proto__" is not allowed');
        if (open.at(-1)?.has(key)) throw new StrictJsonError(`the key ${JSON.stringify(key)} occurs twice`);
        open.at(-1)?.add(key);
      }
      index = end;
      continue;
    }
    if (character === "{" || character === "[") {
      open.push(new Set());
      if (open.length > maxDepth) throw new StrictJsonError(`it is nested deeper than ${maxDepth} levels`);
    } else if (character === "}" || character === "]") {
      open.pop();
    }
    index++;
  }
}

/**
 * The value of JSON text from a source that cannot be trusted.
 *
 * Throws a StrictJsonError for text that is not JSON, is nested deeper than `maxDepth`, repeats a key in an
 * object or uses the key `__proto__`.
 */
export function parseStrictJson(text: string, maxDepth: number): unknown {
  checkStructure(text, maxDepth);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StrictJsonError(messageOf(error).split("\n")[0]);
  }
}
