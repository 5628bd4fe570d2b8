import type { Attack, AttackText, SuitePart } from "../attacks/index.js";
import { checkFolder, checkKind, checkNumber, checkOptionNames, checkSeed, isObject } from "../base/index.js";
import {
  type Attackable,
  checkSameForm,
  mostDraws,
  type OpenedModel,
  openModel,
  type Player,
  type TrialStore,
} from "../trials/index.js";
import { checkShare } from "./expected-clean.js";

export interface EvaluationOptions {
  /** Attacks, as values or as text. */
  readonly attacks: readonly (Attack | AttackText | (string & {}))[];
  /** Number of images, the first ones; all where left out. */
  readonly limit?: number | undefined;
  /**
   * Fresh draws in which a randomized model answers each image, 100 by default; a deterministic one answers
   * once.
   */
  readonly draws?: number | undefined;
  /** Seed of all noise, 0 by default. */
  readonly seed?: number | undefined;
  /** Images attacked together, 500 by default; results do not depend on it. */
  readonly batchSize?: number | undefined;
  /** `cpu`, `cuda` or `cuda:N`: where the model is moved for the time; where it stands by default. */
  readonly device?: string | undefined;
  /**
   * Attacked in the model's place, which is shown the images: a model, or the name of one of the model's
   * surrogates.
   */
  readonly surrogate?: Attackable | string | undefined;
  /** Clean accuracy that is known, such as 0.76: another one ends the evaluation with the usual causes. */
  readonly expectClean?: number | undefined;
  /**
   * Folder in which a folder for this evaluation keeps its finished batches, named by all that decides their
   * numbers. A stopped evaluation continues from there. Nothing is kept where left out.
   */
  readonly folder?: string | undefined;
  /**
   * Keeps finished batches, in place of a folder, and has those of an earlier evaluation of the same model,
   * images and seed; those of anything else are refused.
   */
  readonly store?: TrialStore | undefined;
  /** Stops the evaluation before the next pass. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each attack of a suite such as AutoAttack on a batch. */
  readonly onPart?: ((part: SuitePart) => void) | undefined;
}

const known = [
  ...["attacks", "limit", "draws", "seed", "batchSize"],
  ...["device", "surrogate", "expectClean", "folder", "store", "signal", "onPart"],
];

/** TypeError or RangeError names the option that does not fit. */
export function checkOptions(options: EvaluationOptions): void {
  checkKind("options", options, "an object such as { attacks: [pgd()] }", isObject(options));
  checkOptionNames(options, known);
  const { attacks, draws = 100, seed = 0, batchSize = 500 } = options;
  checkKind("attacks", attacks, "a list of attacks such as [pgd({ epsilon: 0.3 })]", Array.isArray(attacks));
  const isCount = (value: number, most: number) => Number.isInteger(value) && value >= 1 && value <= most;
  checkNumber("draws", draws, `a whole number in 1 .. ${mostDraws}`, isCount(draws, mostDraws));
  checkNumber("batchSize", batchSize, "a whole number >= 1", isCount(batchSize, 2 ** 31 - 1));
  checkSeed(seed);
  const { folder, store } = options;
  if (folder !== undefined) checkFolder("folder", folder);
  if (folder !== undefined && store !== undefined) throw new RangeError("give a folder or a store, not both");
  checkShare(options.expectClean);
}

/** Model, and the player that attacks run on in its place. */
export interface Cast {
  readonly opened: OpenedModel;
  readonly surrogate: OpenedModel | undefined;
  readonly attacked: Player;
  /** Moves both back to the devices that they were on. */
  putBack(): void;
}

/** Opens the model, and what is attacked in its place. */
export function castOf(model: Attackable, { device, surrogate: given }: EvaluationOptions): Cast {
  const opened = openModel(model, device);
  const all = [opened];
  const putBack = () => {
    for (const one of [...all].reverse()) one.putBack();
  };
  if (given === undefined) return { opened, surrogate: undefined, attacked: "model", putBack };
  try {
    if (typeof given === "string") {
      checkSurrogate(opened, given);
      return { opened, surrogate: undefined, attacked: `surrogate:${given}`, putBack };
    }
    const surrogate = openModel(given, opened.device, "surrogate");
    all.push(surrogate);
    checkSameForm("surrogate", surrogate, opened);
    return { opened, surrogate, attacked: "transfer:surrogate", putBack };
  } catch (error) {
    putBack();
    throw error;
  }
}

function checkSurrogate({ name, classifier }: OpenedModel, surrogate: string): void {
  const names = Object.keys(classifier.surrogates ?? {});
  if (names.includes(surrogate)) return;
  const known = names.length === 0 ? "it has none" : `it has ${names.join(", ")}`;
  throw new RangeError(`surrogate: model ${name} has no "${surrogate}"; ${known}`);
}
