import { labeledCalls, labelOf } from "../../../attacks/index.js";

/**
 * Short names of attacks by their texts, such as "PGD-20, eps 0.3"; the text itself with `verbose`, for two
 * that would have the same name, and for an attack that is not registered.
 */
export function attackNames(texts: readonly string[], verbose = false): ReadonlyMap<string, string> {
  const labels = new Map(texts.map((text) => [text, verbose ? text : (labelOf(text) ?? text)]));
  const all = [...labels.values()];
  const isUnique = (label: string) => all.indexOf(label) === all.lastIndexOf(label);
  return new Map([...labels].map(([text, label]) => [text, isUnique(label) ? label : text]));
}

/** Sentence with short names of attacks; with their calls where `verbose`. */
export function callsShown(sentence: string, verbose: boolean): string {
  return verbose ? sentence : labeledCalls(sentence);
}
