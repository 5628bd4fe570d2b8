import { type Player, playerOf } from "../../trials/index.js";
import type { Cell } from "./cell.js";
import { keptOutcome } from "./run-cells.js";

/** Refuses more test images than there are: an evaluation would, after hours of training. */
function checkImages({ config, questions }: Cell): void {
  const most = Math.max(0, ...questions.map(({ limit }) => limit ?? 0));
  if (most === 0) return;
  const { count } = config.data.test;
  if (most <= count) return;
  // A table may ask for so many where nobody has given a limit.
  throw new RangeError(
    `limit must be at most ${count}, the test images of ${config.data}, not ${most}: give a limit of ` +
      `${count} or less`,
  );
}

/** Refuses attacks that the models of cells are no subject of, as those that need more classes. */
function checkAttacks(cells: readonly Cell[]): void {
  const [{ name, config }] = cells as readonly [Cell, ...Cell[]];
  const { model: architecture, seed, defenses } = config;
  const model = architecture.build({ seed, defenses });
  try {
    for (const { attack, noiseFree = false, surrogate } of cells.flatMap(({ questions }) => questions)) {
      const player: Player = surrogate === undefined ? "model" : `surrogate:${surrogate}`;
      attack?.check(playerOf({ model: model.classifier({ noiseFree }) }, player));
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`${name}: ${error.message}`, { cause: error });
  } finally {
    if (model.borrowed !== true) model.module.dispose();
  }
}

/**
 * Checks cells before any of them is trained.
 *
 * @throws RangeError for more test images than there are, and for an attack that a model is no subject of
 */
export function checkCells(cells: readonly Cell[], runs: string): void {
  cells.forEach(checkImages);
  const alike = new Map<string, Cell[]>();
  for (const cell of cells) {
    if (keptOutcome(cell, runs) !== undefined) continue;
    const { model, defenses, data } = cell.config;
    const key = JSON.stringify([model, model.own?.hash, defenses, data.identity]);
    alike.set(key, [...(alike.get(key) ?? []), cell]);
  }
  for (const some of alike.values()) checkAttacks(some);
}
