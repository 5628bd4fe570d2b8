import { type Attack, parseAttack } from "../attacks/index.js";
import type { Player } from "./players.js";

/** One attack on one network, and the network that is shown its images. */
export interface Trial {
  /** The attack, or its text; "none" shows the clean images. */
  readonly attack: string | Attack;
  /** The attacked network. */
  readonly on: Player;
  /** The network that is shown the result: the audited one, or the attacked one itself. */
  readonly shownTo: Player;
  /** Goes by gradients of the audited network, its own or those of its substitutes (`backward`), and by nothing else. */
  readonly whiteBox: boolean;
  /**
   * An earlier trial that this one goes on from: images on which that fooled a deterministic network are kept, and only the
   * others attacked. Of a randomized network all are attacked, since one lucky draw fools nobody.
   */
  readonly after?: Trial;
  /**
   * An earlier trial of the attack that this one's `within` names: its images are taken from there, where they lie within the
   * radius, to the same bits as if it ran again.
   */
  readonly from?: Trial;
}

/** A trial on the audited network by gradients alone: its own, or those of a substitute (`backward`). */
export function whiteBox(attack: string | Attack): Trial {
  return { attack, on: "network", shownTo: "network", whiteBox: true };
}

/** Any other trial: by answers, by gradients and answers both, or by another network's images. */
export function blackBox(attack: string | Attack, on: Player = "network"): Trial {
  return { attack, on, shownTo: "network", whiteBox: false };
}

/** The trial that shows the clean images. */
export const clean: Trial = blackBox("none");

/** The trial of an attack on the audited network, by gradients where all of the attack goes by them. */
export function claimTrial(attack: string | Attack): Trial {
  const { traits } = typeof attack === "string" ? parseAttack(attack) : attack;
  return traits.usesGradients && traits.searchesToo !== true ? whiteBox(attack) : blackBox(attack);
}

/** The attack of a trial; undefined where it shows the clean images. */
export function attackOf({ attack }: Trial): Attack | undefined {
  if (typeof attack !== "string") return attack;
  return attack === "none" ? undefined : parseAttack(attack);
}

/** Text that tells trials apart, with every option of the attack. */
export function trialLabel(trial: Trial): string {
  const { on, shownTo, after } = trial;
  const own = attackOf(trial)?.label ?? "clean";
  const label = after === undefined ? own : `${own} where ${trialLabel(after)} fails`;
  const where = on === "network" ? "" : ` on ${on}`;
  return shownTo === "network" ? `${label}${where}` : `${label}${where}, shown to ${shownTo}`;
}
