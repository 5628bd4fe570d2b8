import * as z from "zod";
import { parseOptions } from "../options/schema.js";
import { type Attack, attackOf } from "./attack.js";
import { type Proposal, selectionDraws, worstProposal } from "./selection.js";

/** A way to make one attack of others, written `restarts(pgd(steps=7), times=10)`. */
export interface Combinator {
  readonly combinatorName: string;
  readonly schema: z.ZodObject;
  readonly summary: string;
  /** The attack of attacks and options that nobody has checked yet. Throws a RangeError for what does not fit. */
  combine(attacks: readonly Attack[], options: unknown): Attack;
}

function proposalOf(attack: Attack, round: number): Proposal {
  return (target, images, labels) => target.run(attack, images, labels, round);
}

const restartsOptions = z.strictObject({
  times: z.int().min(1).default(10).describe("runs, of which each image's worst case is kept"),
  selectionDraws,
});

/** Any attack run several times with other noise, each image's worst case kept: `restarts(pgd(), { times: 10 })`. */
export function restarts(attack: Attack, given: z.input<typeof restartsOptions> = {}): Attack {
  const options = parseOptions("attack", "restarts", restartsOptions, given);
  return attackOf({ name: "restarts", options, of: [attack.call] }, attack.traits, (target, images, labels) => {
    // Without any randomness all runs are the same.
    const times = attack.traits.randomized || target.randomized ? options.times : 1;
    const runs = Array.from({ length: times }, (_, round) => proposalOf(attack, round));
    return worstProposal(runs, target, images, labels, options.selectionDraws);
  });
}

const worstCaseOptions = z.strictObject({ selectionDraws });

/** The worst case of each image over several attacks of one norm: `worstCase([pgd(), cwLinf()])`. */
export function worstCase(attacks: readonly Attack[], given: z.input<typeof worstCaseOptions> = {}): Attack {
  const options = parseOptions("attack", "worst-case", worstCaseOptions, given);
  const traits = attacks.map((attack) => attack.traits);
  const [first] = traits;
  if (first === undefined) throw new RangeError("attack worst-case: needs one attack or more inside it");
  const other = traits.find((trait) => trait.norm !== first.norm);
  if (other) {
    throw new RangeError(`attack worst-case: all attacks must have one norm, given ${first.norm} and ${other.norm}`);
  }
  const radii = traits.map((trait) => trait.radius ?? Number.POSITIVE_INFINITY);
  const radius = Math.max(...radii);
  return attackOf(
    { name: "worst-case", options, of: attacks.map((attack) => attack.call) },
    {
      norm: first.norm,
      radius: Number.isFinite(radius) ? radius : undefined,
      usesGradients: traits.some((trait) => trait.usesGradients),
      randomized: traits.some((trait) => trait.randomized),
    },
    (target, images, labels) => {
      const runs = attacks.map((attack) => proposalOf(attack, 0));
      return worstProposal(runs, target, images, labels, options.selectionDraws);
    },
  );
}

/** Every combinator by its name. */
export const combinators: ReadonlyMap<string, Combinator> = new Map(
  [
    {
      combinatorName: "restarts",
      schema: restartsOptions,
      summary: "another attack several times, keeping each image's worst case",
      combine(attacks: readonly Attack[], options: unknown) {
        const [attack] = attacks;
        if (attack === undefined || attacks.length > 1) {
          throw new RangeError(`attack restarts: needs one attack inside it, given ${attacks.length}`);
        }
        return restarts(attack, options as z.input<typeof restartsOptions>);
      },
    },
    {
      combinatorName: "worst-case",
      schema: worstCaseOptions,
      summary: "several attacks of one norm, keeping each image's worst case",
      combine(attacks: readonly Attack[], options: unknown) {
        return worstCase(attacks, options as z.input<typeof worstCaseOptions>);
      },
    },
  ].map((combinator) => [combinator.combinatorName, combinator]),
);
