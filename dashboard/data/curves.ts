import type { RunEpoch, RunEvent, RunStep } from "../../src/server/runs/events.js";
import type { Curve } from "../parts/chart.js";
import { attackNames } from "./format.js";

/** Epochs among events. */
export function epochsOf(events: readonly RunEvent[]): RunEpoch[] {
  return events.filter((event) => event.type === "epoch");
}

/** Clean accuracy, and that under each validation attack. */
export function accuracyCurves(events: readonly RunEvent[], of = "", color?: number): Curve[] {
  const epochs = epochsOf(events);
  const x = epochs.map(({ step }) => step);
  const attacks = [...new Set(epochs.flatMap(({ validation }) => validation.map(({ attack }) => attack)))];
  const names = attackNames(attacks);
  const under = (attack: string) =>
    epochs.map(({ validation }) => validation.find((one) => one.attack === attack)?.accuracy ?? null);
  return [
    { name: `${of}clean`, x, y: epochs.map(({ clean }) => clean), color: color ?? 0 },
    ...attacks.map((attack, i) => ({
      name: `${of}${names[i]}`,
      x,
      y: under(attack),
      color: color ?? i + 1,
      dashed: color !== undefined,
    })),
  ];
}

/** Loss of steps, where a run keeps them, and of epochs. */
export function lossCurves(
  events: readonly RunEvent[],
  steps: readonly RunStep[],
  of = "",
  color?: number,
): Curve[] {
  const epochs = epochsOf(events);
  const ofEpochs = {
    name: `${of}mean of the epoch`,
    x: epochs.map(({ step }) => step),
    y: epochs.map(({ loss }) => loss),
    color: color ?? 1,
  };
  const ofSteps = {
    name: `${of}step`,
    x: steps.map(({ step }) => step),
    y: steps.map(({ loss }) => loss),
    color: color ?? 0,
  };
  return color !== undefined || steps.length === 0 ? [ofEpochs] : [ofSteps, ofEpochs];
}

/** Learning rate of steps. */
export function rateCurve(steps: readonly RunStep[]): Curve {
  return {
    name: "learning rate",
    x: steps.map(({ step }) => step),
    y: steps.map(({ learningRate }) => learningRate),
    color: 2,
  };
}

/** Adds what is new to what is known; what is known by its key already is not added again. */
export function merged<T>(known: readonly T[], more: readonly T[], key: (one: T) => string): readonly T[] {
  const keys = new Set(known.map(key));
  const added = more.filter((one) => !keys.has(key(one)));
  return added.length === 0 ? known : [...known, ...added];
}
