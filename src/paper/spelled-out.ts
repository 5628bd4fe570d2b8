import { attacks } from "../attacks/index.js";
import { schedules } from "../nn/index.js";
import { formatCall, formatRatio, parseCall } from "../options/index.js";
import { methodOf, methods } from "../training/index.js";

// Texts leave out what is at its default; readers of a table need it. What nobody has registered stays its
// text.

/** Text with a radius, where that is not in it already. */
function atRadius(text: string, radius: number | undefined): string {
  return radius === undefined || text.includes("epsilon=") ? text : `${text} at ${formatRatio(radius)}`;
}

/** Attack with its radius. */
export function attackInFull(text: string): string {
  return attacks.has(parseCall(text).name) ? atRadius(text, attacks.parse(text).traits.radius) : text;
}

/** Training method with its radius. */
export function methodInFull(text: string): string {
  const { name } = parseCall(text);
  return methods.has(name) || attacks.has(name) ? atRadius(text, methodOf(text).epsilon) : text;
}

/** Schedule of the learning rate with all its options. */
export function scheduleInFull(text: string): string {
  const { name } = parseCall(text);
  return schedules.has(name) ? formatCall(name, schedules.parse(text).options) : text;
}

/** Model without the mean and standard deviation that it takes from its data set. */
export function withoutStatistics(text: string): string {
  const { name, options } = parseCall(text);
  const { mean: _, std: __, ...others } = options;
  return formatCall(name, others);
}
