import { shownName } from "../base/index.js";

/** Tells whether names are the numbers of the classes, which stand for no names. */
export function areNumbers(names: readonly string[]): boolean {
  return names.every((name, label) => name === String(label));
}

/** Names of classes in their order, with their owner as a sentence names it, such as "model small". */
export type ClassList = readonly [owner: string, names: readonly string[]];

/** Says which class has another place in a second list than in the first; undefined where none has. */
export function classOrderFault([owner, names]: ClassList, [other, others]: ClassList): string | undefined {
  const places = new Map(names.map((name, place) => [name, place]));
  for (const [place, name] of others.entries()) {
    const own = places.get(name);
    if (own === undefined || own === place) continue;
    return (
      `${other}: class ${place} is ${shownName(name)}, which is class ${own} of ${owner}: ` +
      "its labels mean other classes"
    );
  }
  return undefined;
}
