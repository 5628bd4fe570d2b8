import { attacks } from "../contract/attack.js";
import { attackLabel } from "./attack-label.js";

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
export function labelOf(call: string): string | undefined {
  try {
    return attackLabel(attacks.parse(call));
  } catch {
    return undefined;
  }
}

/** Calls of attacks in a text, each with its label. */
function callsIn(text: string) {
  const names = /[a-z][\w-]*\(/g;
  const calls: { begin: number; call: string; label: string }[] = [];
  for (let found = names.exec(text); found !== null; found = names.exec(text)) {
    const end = endOfCall(text, names.lastIndex);
    if (end === undefined) continue;
    const call = text.slice(found.index, end);
    const label = labelOf(call);
    if (label === undefined) continue;
    calls.push({ begin: found.index, call, label });
    names.lastIndex = end;
  }
  return calls;
}

/**
 * Text in which each call of an attack is the attack's label; a call stays where another has the same label.
 *
 * @example
 * labeledCalls("under pgd(epsilon=0.3, steps=20)")   // under PGD-20, eps 0.3
 */
export function labeledCalls(text: string): string {
  const calls = callsIn(text);
  const labels = new Map(calls.map(({ call, label }) => [call, label]));
  const all = [...labels.values()];
  let [labeled, done] = ["", 0];
  for (const { begin, call, label } of calls) {
    const isUnique = all.indexOf(label) === all.lastIndexOf(label);
    labeled += text.slice(done, begin) + (isUnique ? label : call);
    done = begin + call.length;
  }
  return labeled + text.slice(done);
}
