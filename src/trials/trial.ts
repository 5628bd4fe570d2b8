import { type Attack, attacks } from "../attacks/index.js";
import { joinedCode } from "../options/index.js";
import type { Player } from "./players.js";

/** One attack on one player, and the player that its images are shown to. */
export interface Trial {
  /** Identity: keys of noise, names of files and results go by it. */
  readonly id: string;
  /** Undefined for the clean images. */
  readonly attack?: Attack | undefined;
  /** Player that is attacked. */
  readonly on: Player;
  /** Player that answers the images: the model, or the attacked player itself. */
  readonly shownTo: Player;
  /** Goes by gradients of the model or its surrogates alone. */
  readonly whiteBox: boolean;
  /**
   * Earlier trial that this one continues. Images that fooled a deterministic player are kept, and the others
   * attacked. All images of a randomized player are attacked, since one lucky draw proves nothing.
   */
  readonly after?: Trial | undefined;
  /**
   * Earlier trial of the attack inside this one's `within`, whose images are taken where they lie within the
   * radius. They are the same, to the bit, as if the attack ran again; so this is no part of the identity.
   */
  readonly from?: Trial | undefined;
  /**
   * SHA-256 of the user's code that decides its images, that of the trials before it too; undefined where
   * there is none. What is kept goes by it beside the id, and noise does not.
   */
  readonly code?: string | undefined;
}

/** Parts of a trial; those left out are the clean images, the model and no earlier trial. */
export interface TrialParts {
  readonly attack?: Attack | undefined;
  readonly on?: Player;
  readonly shownTo?: Player;
  readonly whiteBox?: boolean;
  readonly after?: Trial | undefined;
  readonly from?: Trial | undefined;
}

/**
 * Identity of a trial: its attack with the options that are not defaults, the players, and the trial before
 * it.
 */
export function trialId({ attack, on = "model", shownTo = "model", after }: TrialParts): string {
  return [
    attack === undefined ? "clean" : String(attack),
    ...(on === "model" ? [] : [`on ${on}`]),
    ...(shownTo === "model" ? [] : [`shown to ${shownTo}`]),
    ...(after === undefined ? [] : [`after ${after.id}`]),
  ].join(" ");
}

/**
 * Makes a trial.
 *
 * @example
 * trialOf({ attack: pgd({ epsilon: 0.3 }), on: "surrogate:noise-free" })
 */
export function trialOf(parts: TrialParts): Trial {
  const { attack, on = "model", shownTo = "model", whiteBox = false, after, from } = parts;
  const code = joinedCode([attack?.code, after?.code]);
  return { id: trialId(parts), attack, on, shownTo, whiteBox, after, from, code };
}

/** Trial that shows the clean images. */
export const clean: Trial = trialOf({});

/** Trial on the model by gradients alone: its own, or those of a surrogate. */
export function whiteBox(attack: Attack, parts: Pick<TrialParts, "after" | "from"> = {}): Trial {
  return trialOf({ ...parts, attack, whiteBox: true });
}

/** Trial by answers, by gradients and answers both, or by another player's images. */
export function blackBox(attack: Attack, parts: Pick<TrialParts, "on" | "after" | "from"> = {}): Trial {
  return trialOf({ ...parts, attack });
}

/** Trial of an attack on the model, white-box where every part of the attack goes by gradients. */
export function trialOn(attack: Attack): Trial {
  const { usesGradients, searchesToo } = attack.traits;
  return usesGradients && searchesToo !== true ? whiteBox(attack) : blackBox(attack);
}

/** Attacks of a list that may hold texts. TypeError or RangeError names the entry that is no attack. */
export function attackList(given: readonly (Attack | string)[], name = "attacks"): Attack[] {
  return given.map((attack, i) => attacks.of(attack, `${name}[${i}]`));
}
