import type { Call } from "../../options/call.js";
import type { Attack } from "./attack.js";

/** The calls of an attack's text that hold no other attack. */
function innermost(call: Call): Call[] {
  return call.of === undefined ? [call] : call.of.flatMap(innermost);
}

/** Throws a RangeError unless an attack, or every attack inside it, has a radius to change. */
export function checkHasEpsilon(name: string, attack: Attack): void {
  const without = innermost(attack.call).find(({ options }) => !("epsilon" in options));
  if (without === undefined) return;
  throw new RangeError(
    `attack ${name}: ${without.name} has no option "epsilon" to search; accepted: attacks that have one, such as pgd`,
  );
}

/** The same attack with another radius, and steps of the same share of it. */
export function atEpsilon(attack: Attack, epsilon: number): Attack {
  return attack.remake(({ options }) => {
    if (!("epsilon" in options)) return options;
    const { epsilon: before, stepSize } = options;
    const scales = typeof before === "number" && before > 0 && typeof stepSize === "number";
    return { ...options, epsilon, ...(scales ? { stepSize: (stepSize * epsilon) / before } : {}) };
  });
}
