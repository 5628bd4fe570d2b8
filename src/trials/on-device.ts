import { capturesGraphs } from "../engine/index.js";
import { type Classifier, replayed } from "../nn/index.js";
import type { Players } from "./players.js";
import { stoppable, stoppables } from "./stoppable.js";

/** Players that run on a device until they are disposed. */
export interface PlacedPlayers extends Players {
  dispose(): void;
}

/**
 * Players as a device runs them best: their passes are replayed as graphs where the device captures them.
 * Passes throw the signal's reason once it is aborted.
 */
export function playersOn(
  device: string,
  { model, transfers = {} }: Players,
  signal?: AbortSignal,
): PlacedPlayers {
  const graphs: { dispose(): void }[] = [];
  const place = (classifier: Classifier): Classifier => {
    if (!capturesGraphs(device)) return classifier;
    const placed = replayed(classifier, device);
    graphs.push(placed);
    return placed;
  };
  const others = Object.fromEntries(Object.entries(transfers).map(([name, other]) => [name, place(other)]));
  return {
    model: stoppable(place(model), signal),
    transfers: stoppables(others, signal),
    dispose() {
      for (const graph of graphs) graph.dispose();
    },
  };
}
