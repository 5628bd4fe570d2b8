import type { Tensor } from "../engine/index.js";
import type { Model } from "../models/index.js";
import { loadState, type OptimizerRun } from "../nn/index.js";
import { averagingDecay, updateAverage } from "./averaging.js";
import { averageCopy, type Copies } from "./run/checkpoint.js";
import { Snapshot } from "./snapshot.js";

/** Copies of a model's weights that a run keeps beside those it trains. */
export interface CopiesKept {
  /** Decay of the average; 0 for none. */
  readonly averaging: number;
  /** The best epoch's weights. */
  readonly best: boolean;
  /** The last good network, its optimizer and average, for a guard. */
  readonly good: boolean;
}

/** The weights that a run keeps beside those it trains: their average, the best, and the last good ones. */
export class WeightCopies {
  /** The network to evaluate and save: the average where there is one, else that which is trained. */
  readonly evaluated: Model;
  readonly #trained: Model;
  readonly #optimizer: OptimizerRun;
  readonly #decay: number;
  readonly #best: Snapshot | undefined;
  readonly #good: Snapshot | undefined;

  /** `another` builds the same network once more, on the same device. */
  constructor(trained: Model, optimizer: OptimizerRun, kept: CopiesKept, another: () => Model) {
    this.#trained = trained;
    this.#optimizer = optimizer;
    this.#decay = kept.averaging;
    this.evaluated = kept.averaging > 0 ? another() : trained;
    if (kept.averaging > 0 && this.evaluated.module === trained.module) {
      const remedy = "give modelOf a function (seed) => Module";
      throw new RangeError(`averaging needs a second copy of model ${trained.name}: ${remedy}`);
    }
    if (kept.averaging > 0) loadState(this.evaluated.module, trained.module.state());
    this.#best = kept.best ? new Snapshot(this.evaluated.module.state()) : undefined;
    this.#good = kept.good ? new Snapshot(this.#everything()) : undefined;
  }

  get #average() {
    return this.evaluated === this.#trained ? undefined : this.evaluated.module.state();
  }

  /** All that a roll-back brings back. */
  #everything() {
    const parts = {
      network: this.#trained.module.state(),
      optimizer: this.#optimizer.state,
      average: this.#average,
    };
    return new Map(
      Object.entries(parts).flatMap(([part, tensors]) =>
        [...(tensors ?? [])].map(([name, value]) => [`${part}.${name}`, value] as const),
      ),
    );
  }

  /** Tensors of theirs that a checkpoint keeps. */
  get copies(): Copies {
    const parts = [
      [averageCopy, this.#average],
      ["best", this.#best?.tensors],
      ["good", this.#good?.tensors],
    ] as const;
    return new Map(
      parts.flatMap(([name, tensors]) => (tensors === undefined ? [] : [[name, tensors] as const])),
    );
  }

  /** Numbers that `follow` takes. */
  get factorCount(): number {
    return this.#decay > 0 ? 2 : 0;
  }

  /** The numbers of the average's move after the optimizer's last update. */
  factors(): number[] {
    if (this.#decay === 0) return [];
    const kept = averagingDecay(this.#decay, this.#optimizer.steps);
    return [kept, 1 - kept];
  }

  /** Moves the average towards the weights after an update, by its numbers as tensors without axes. */
  follow([kept, taken]: readonly Tensor[]): void {
    const average = this.#average;
    if (average === undefined) return;
    updateAverage(average, this.#trained.module.state(), { kept: kept!, taken: taken! });
  }

  keepBest(): void {
    this.#best?.take();
  }

  /** Puts the best weights in the place of those that are evaluated, where they were kept. */
  takeBest(): void {
    this.#best?.restore();
  }

  keepGood(): void {
    this.#good?.take();
  }

  /** The last good network, its optimizer, `updates` updates behind it, and its average. */
  rollBack(updates: number): void {
    this.#good?.restore();
    this.#optimizer.steps = updates;
  }

  /** Frees the copies and the models, but for a module that is its user's. */
  dispose(): void {
    for (const model of new Set([this.#trained, this.evaluated])) if (!model.borrowed) model.module.dispose();
    this.#best?.dispose();
    this.#good?.dispose();
  }
}
