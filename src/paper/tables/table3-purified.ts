import { type Attack, backward } from "../../attacks/index.js";
import { guidedDenoiser, pixelDefend } from "../../defenses/index.js";
import type { Defense } from "../../models/index.js";
import { expected } from "../expected.js";

/** Trained parts of the defenses that purify images; a row without its part is left out. */
export interface Purifiers {
  /** Density model of PixelDefend, which `sqa density` trains. */
  readonly density?: string | undefined;
  /** Denoiser of the row without a defense, which `sqa denoiser` trains. */
  readonly denoiser?: string | undefined;
  /** C&W of the table. */
  readonly cw: Attack;
}

/** Rows by the part that each needs. */
const keys = { density: "pixel-defend", denoiser: "guided-denoiser" } as const;

/** Keys of all rows that purify images. */
export const purifiedKeys: readonly string[] = Object.values(keys);

/** Attacks of the defenses' papers: on the model alone, which is then asked with its purifier. */
const unpurified = (attack: Attack) => backward(attack, { through: "unpurified", forward: "surrogate" });

/**
 * Radius of purification: 16/255 on CIFAR-10, and 32/255 for attacks of 25/255, as PixelDefend's paper has
 * them.
 */
function purifyingRadius(epsilon: number): number {
  return Math.max(16, Math.round((255 * epsilon * 32) / 25)) / 255;
}

/**
 * Defenses that purify images before a model without a defense. PGD and C&W go by the model alone, as
 * published; the adaptive attack goes through the purifier.
 *
 * @param chosen keys of the rows that were asked for; undefined for all
 * @throws RangeError for a row that was asked for without its part
 */
export function purifiedEntries(
  { cw, ...parts }: Purifiers,
  plain: Attack,
  epsilon: number,
  chosen?: readonly string[],
) {
  for (const [part, key] of Object.entries(keys) as [keyof typeof keys, string][]) {
    if (parts[part] !== undefined || chosen?.includes(key) !== true) continue;
    throw new RangeError(`table3: row ${key} needs a ${part}: give ${part}=FOLDER of sqa ${part}`);
  }
  const entry = (key: string, title: string, defense: Defense) => ({
    key,
    title,
    defenses: [defense],
    method: "standard" as const,
    adaptive: (attack: Attack) => attack,
    attacks: { pgd: unpurified(plain), cw: unpurified(cw) },
  });
  const { density, denoiser } = parts;
  const list = [];
  if (density !== undefined) {
    const defense = pixelDefend({ density, epsilon: purifyingRadius(epsilon) });
    // The paper's number is that of Athalye et al., whose attack goes through the purifier.
    const paper = { adaptive: expected.table3.rows[keys.density]["pgd-8"] };
    list.push({ ...entry(keys.density, "PixelDefend", defense), paper, skips: ["audit"] });
  }
  if (denoiser !== undefined)
    list.push(entry(keys.denoiser, "guided denoiser", guidedDenoiser({ denoiser })));
  return list;
}
