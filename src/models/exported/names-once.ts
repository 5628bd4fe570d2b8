/**
 * Names that occur once each: the first of several equal ones stays, the others get numbers behind a mark.
 * Takes no longer for many equal names than for others.
 */
export function namesOnce(names: readonly string[], mark: string, first: number): string[] {
  const taken = new Set<string>();
  /** Next number of a name that occurred before. */
  const next = new Map<string, number>();
  return names.map((name) => {
    let free = name;
    if (taken.has(name)) {
      let i = next.get(name) ?? first;
      for (free = `${name}${mark}${i}`; taken.has(free); free = `${name}${mark}${i}`) i++;
      next.set(name, i + 1);
    }
    taken.add(free);
    return free;
  });
}
