import { deriveSeed, type Seed } from "../../base/index.js";
import type { Noise, Tensor } from "../../engine/index.js";
import type { FiniteWatch } from "./finite-watch.js";
import type { SuitePart } from "./reported.js";
import type { View } from "./view.js";

/** Passes of single images through the network that an attack has used. */
export interface PassCounter {
  forward: number;
  backward: number;
}

/** What an attack runs on: seeds, the ids of the images, and where its passes are counted. */
export interface AttackContext {
  readonly seed: Seed | number;
  /** int64 of shape (N); noise is keyed by them, so results do not depend on how images are batched. */
  readonly imageIds: Tensor;
  readonly passes?: PassCounter;
  /** How the network is seen; in one draw and through its own gradient where left out. */
  readonly view?: View;
  /** Told of each attack of a suite such as AutoAttack that has run. */
  readonly onPart?: (part: SuitePart) => void;
}

/** The seed of what an attack draws for one purpose. */
export function attackSeed(seed: Seed | number, attackName: string, purpose: string): Seed {
  return deriveSeed(seed, "attack", attackName, purpose);
}

/** How a target differs from that of an attack that is called by itself. */
export interface TargetOptions {
  /** What watches logits and gradients for NaN; training has its own alarm for that. */
  readonly watch?: FiniteWatch;
  /** The seed of each purpose's noise, in place of that which the context's seed gives it. */
  readonly seeds?: (purpose: string) => Noise["seed"];
}
