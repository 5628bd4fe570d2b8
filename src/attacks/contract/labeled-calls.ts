import { attacks } from "./attack.js";
import { attackLabel } from "./label.js";

/** End of the call that opens with the parenthesis before `from`; undefined where it does not close. */
function endOfCall(text: string, from: number): number | undefined {
  let depth = 1;
  for (let i = from; i < text.length; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")" && --depth === 0) return i + 1;
  }
  return undefined;
}

/** Label of the attack that a text is the call of; undefined for any other text. */
function labelOf(call: string): string | undefined {
  try {
    return attackLabel(attacks.parse(call));
  } catch {
    return undefined;
  }
}

/**
 * Text in which each call of an attack is the attack's label.
 *
 * @example
 * labeledCalls("under pgd(epsilon=0.3, steps=20)")   // under PGD-20, eps 0.3
 */
export function labeledCalls(text: string): string {
  const names = /[a-z][\w-]*\(/g;
  let [labeled, done] = ["", 0];
  for (let found = names.exec(text); found !== null; found = names.exec(text)) {
    const end = endOfCall(text, names.lastIndex);
    const label = end === undefined ? undefined : labelOf(text.slice(found.index, end));
    if (end === undefined || label === undefined) continue;
    labeled += text.slice(done, found.index) + label;
    done = end;
    names.lastIndex = end;
  }
  return labeled + text.slice(done);
}
