import type { RunEvent } from "./events.js";

/**
 * About `most` of many points: of each stretch of them the lowest and the highest by a figure, so that a
 * spike or a collapse stays to be seen, with the first and the last.
 */
export function downSample<T>(points: readonly T[], most: number, figure: (point: T) => number): T[] {
  if (points.length <= most) return [...points];
  const stretches = Math.max(1, Math.floor((most - 2) / 2));
  const chosen = new Set<number>([0, points.length - 1]);
  for (let i = 0; i < stretches; i++) {
    const begin = Math.floor((i * points.length) / stretches);
    const end = Math.floor(((i + 1) * points.length) / stretches);
    let [low, high] = [begin, begin];
    for (let at = begin; at < end; at++) {
      if (figure(points[at]!) < figure(points[low]!)) low = at;
      if (figure(points[at]!) > figure(points[high]!)) high = at;
    }
    chosen.add(low).add(high);
  }
  return [...chosen].sort((a, b) => a - b).map((index) => points[index]!);
}

/** Accuracy under the strongest attack of an epoch; its clean accuracy where there is no attack. */
function strongest(event: RunEvent): number {
  return event.type === "epoch" ? (event.validation.at(-1)?.accuracy ?? event.clean) : 0;
}

/** About `most` epochs, chosen by their accuracy under the strongest attack; roll-backs all. */
export function fewerEvents(events: readonly RunEvent[], most: number): RunEvent[] {
  const epochs = events.filter(({ type }) => type === "epoch");
  const others = events.filter(({ type }) => type === "roll-back").slice(-most);
  return [...downSample(epochs, most, strongest), ...others].sort((a, b) => a.step - b.step);
}
