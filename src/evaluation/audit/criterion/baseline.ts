import { countText } from "../../../base/index.js";
import { formatRatio } from "../../../options/index.js";
import { shareText } from "../../../report/index.js";
import { Counts } from "../../../trials/index.js";
import { difference, isAbove, signTest } from "../difference.js";
import type { AuditJson } from "../report/schema/audit.js";
import { isTooPoor, resolutionOf } from "../verdict/resolution.js";
import type { VerdictName } from "../verdict/verdict.js";
import { shortOf } from "../verdict/verdict-text.js";
import type { OutcomeName } from "./requirement.js";

/** Image of an audit, with the shares of draws in which it is answered correctly. */
export interface ComparedImage {
  /** SHA-256 of its pixels and label, which tells the same image in two audits. */
  readonly sha256: string;
  readonly clean: number;
  readonly worst: number;
}

/** Comparison with an earlier audit on the images that both have. */
export interface Comparison {
  readonly outcome: OutcomeName;
  /** A sentence without a full stop. */
  readonly text: string;
  /** Name of the earlier model, its date, and the SHA-256 of its weights. */
  readonly model: string;
  readonly date: string;
  readonly weightsSha256: string | null;
  /** Images that both audits have. */
  readonly images: number;
  readonly clean: Change;
  readonly worst: Change;
  /** Differences of the two audits that may be the cause, each a sentence without a full stop. */
  readonly remarks: readonly string[];
}

/** Change of a figure since the earlier audit. */
export interface Change {
  readonly before: number;
  readonly now: number;
  /** Points that the accuracy has fallen; negative where it has risen. */
  readonly fallen: number;
  /** Half the width of the 95 % interval of `fallen`, paired by image. */
  readonly error: number;
  /** Two-sided p of McNemar's exact test; null for randomized models, whose images change by shares. */
  readonly p: number | null;
}

/** RangeError where an earlier audit is of another ball: their figures say nothing of each other. */
export function checkComparable(
  baseline: AuditJson,
  { norm, epsilon }: { readonly norm: string; readonly epsilon: number },
): void {
  if (baseline.norm === norm && Math.abs(baseline.epsilon - epsilon) <= 1e-9 * epsilon) return;
  const [theirs, ours] = [baseline, { norm, epsilon }].map(
    (ball) => `${ball.norm} ${formatRatio(ball.epsilon)}`,
  );
  throw new RangeError(`baseline: is an audit within ${theirs}, not ${ours}: give one of the same ball`);
}

/** RangeError where an earlier audit has none of these images, by their SHA-256. */
export function checkShared(baseline: AuditJson, images: readonly string[]): void {
  const known = new Set(baseline.perImage.map(({ sha256 }) => sha256));
  if (images.some((sha256) => known.has(sha256))) return;
  throw new RangeError("baseline: no image of that audit is among those of this one");
}

/** Shares of correct draws as counts of so many. */
function countsOf(shares: readonly number[], draws: number): Counts {
  const counts = new Counts(shares.length, draws);
  counts.halves[0].set(shares.map((share) => Math.round(share * draws)));
  return counts;
}

/**
 * Compares an audit with an earlier one, image by image, and fails it where the worst case is significantly
 * lower: p <= 0.05 by McNemar's exact test on the images that changed. For randomized models, whose images
 * change by shares, the difference must be beyond its paired interval, and 6 images must have changed. It
 * passes only where the shared images could have shown a regression of so many points, no attack ended in an
 * error, and the verdict is neither `masked` nor `invalid`: then the worst case may be lower than it seems.
 */
export function compared(
  baseline: AuditJson,
  now: {
    readonly images: readonly ComparedImage[];
    readonly draws: number;
    readonly budget: AuditJson["budget"];
    readonly dataSha256: string;
    /** Points of a regression that the shared images must be able to show. */
    readonly resolution: number;
    readonly verdict: VerdictName;
    /** Attacks and checks of this audit that ended in an error, each a sentence without a full stop. */
    readonly errors: readonly string[];
  },
): Comparison {
  const shared = pairsOf(baseline, now.images);
  const pairOf = (figure: "clean" | "worst") => {
    const [before, after] = [0, 1].map((side) => shared.map((pair) => pair[side]![figure]));
    return [countsOf(before!, baseline.draws), countsOf(after!, now.draws)] as const;
  };
  const [cleanPair, worstPair] = [pairOf("clean"), pairOf("worst")];
  const worst = changeOf(...worstPair);
  const { fallen, error, p } = worst;
  const significant = p === null ? isAbove(...worstPair, 0) : fallen > 0 && p <= 0.05;
  const tooFew = isTooPoor(resolutionOf(...worstPair, now.resolution));
  const doubt = doubtOf(now);
  const outcome = significant ? "fail" : tooFew || doubt !== undefined ? "undecided" : "pass";
  const why = significant
    ? "a significant regression"
    : tooFew
      ? `too few to tell a regression of ${now.resolution} points from chance`
      : ["no significant regression", ...(doubt === undefined ? [] : [doubt])].join(", but ");
  const by =
    p === null
      ? `before minus now, paired by image: ${fallen.toFixed(1)} +- ${error.toFixed(1)} points`
      : `McNemar, p = ${p.toPrecision(2)}`;
  const text =
    `worst case ${shareText(worst.before)} in the baseline, ${shareText(worst.now)} now, ` +
    `on the same ${countText(shared.length, "image")}: ${why} (${by})`;
  return {
    outcome,
    text,
    model: baseline.model,
    date: baseline.environment.finishedAt,
    weightsSha256: baseline.evidence.model.weightsSha256,
    images: shared.length,
    clean: changeOf(...cleanPair),
    worst,
    remarks: remarksOf(baseline, now, shared.length),
  };
}

/**
 * Images that both audits have, before and now. One that stands several times in both is paired in the order
 * of its places.
 */
function pairsOf(
  { perImage }: AuditJson,
  images: readonly ComparedImage[],
): [AuditJson["perImage"][number]["correct"], ComparedImage][] {
  const before = new Map<string, AuditJson["perImage"][number]["correct"][]>();
  for (const { sha256, correct } of perImage) before.set(sha256, [...(before.get(sha256) ?? []), correct]);
  return images.flatMap((image): ReturnType<typeof pairsOf> => {
    const earlier = before.get(image.sha256)?.shift();
    return earlier === undefined ? [] : [[earlier, image]];
  });
}

/** Reason for which a worst case may be lower than it seems; undefined for none. */
function doubtOf({ verdict, errors }: Pick<Parameters<typeof compared>[1], "verdict" | "errors">) {
  if (verdict === "invalid") return "the audit is invalid";
  if (verdict === "masked") return "gradients are masked";
  return errors.length > 0 ? shortOf(errors) : undefined;
}

function changeOf(before: Counts, now: Counts): Change {
  const { points, error } = difference(before, now);
  const certain = before.draws === 1 && now.draws === 1;
  const p = certain ? signTest(before, now) : null;
  return { before: before.mean(), now: now.mean(), fallen: points, error, p };
}

function remarksOf(
  baseline: AuditJson,
  { images, budget, dataSha256 }: Parameters<typeof compared>[1],
  shared: number,
): string[] {
  const all = Math.max(baseline.images, images.length);
  const effort = ({ images: _, ...spent }: AuditJson["budget"]) => JSON.stringify(spent);
  return [
    ...(shared === all || baseline.evidence.data.manifestSha256 === dataSha256
      ? []
      : [`${countText(shared, "image is", "images are")} in both audits; the others are left out`]),
    ...(effort(baseline.budget) === effort(budget)
      ? []
      : ["the budgets differ: stronger attacks lower the worst case of the same model"]),
  ];
}
