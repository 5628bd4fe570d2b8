/** Class that two lists of names have at different places. */
export interface MovedClass {
  readonly name: string;
  /** Its places in the first list and in the second. */
  readonly places: readonly [number, number];
}

/** Tells whether names are the numbers of the classes, which stand for no names. */
export function areNumbers(names: readonly string[]): boolean {
  return names.every((name, label) => name === String(label));
}

/** First class that two lists of names have at different places; undefined where there is none. */
export function movedClass(names: readonly string[], others: readonly string[]): MovedClass | undefined {
  const places = new Map(names.map((name, place) => [name, place]));
  for (const [place, name] of others.entries()) {
    const own = places.get(name);
    if (own !== undefined && own !== place) return { name, places: [own, place] };
  }
  return undefined;
}
