import { interval, shareText } from "../../../report/index.js";
import type { Accuracy } from "../../../trials/index.js";
import type { Judgment } from "../checks/index.js";
import { isTooPoor, type Resolution, resolutionText } from "./resolution.js";
import type { AuditVerdict, Reason, VerdictName } from "./verdict.js";

/** Figures and names that a verdict is told by. */
export interface VerdictFigures {
  /** Name of the audited model. */
  readonly model: string;
  /** Name of the claimed attack, or of the reference attack. */
  readonly attack: string;
  readonly claimed: boolean;
  /** Text of the ball, such as "linf 8/255". */
  readonly ball: string;
  readonly clean: Accuracy;
  readonly claim: Accuracy;
  readonly worst: Accuracy;
  /** Accuracy of a guess. */
  readonly chance: number;
  /** Name of the attack under which the accuracy is lowest, with that; undefined for the clean images. */
  readonly strongest: { readonly attack: string | undefined; readonly accuracy: number };
  readonly images: number;
  readonly resolution: Resolution;
  /** Attacks and checks that ended in an error, each a sentence without a full stop. */
  readonly errors: readonly string[];
  readonly lines: readonly (Judgment & { readonly name: string })[];
}

const figure = ({ accuracy, low, high }: Accuracy) => `${shareText(accuracy)} ${interval(low, high, 1)}`;

/** Meaning of each verdict but `inconclusive`, in a sentence without a full stop. */
const meanings: Readonly<Record<Exclude<VerdictName, "inconclusive">, string>> = {
  "claim holds":
    "no attack in the ball lowers the accuracy clearly below the claim, and nothing hides gradients",
  "no fault found":
    "nobody has made a claim: the worst case is what the audit found, and nothing hides gradients",
  "not robust": "attacks in the ball lower the accuracy to no more than chance",
  overstated: "attacks in the same ball lower the accuracy clearly below the claim",
  masked: "attacks by gradients fail for another reason than robustness, so their figures say little",
  invalid: "the model or the claimed attack breaks an assumption of every evaluation",
};

/** Tells a model that is no better than a guess before any attack. */
export function onlyGuesses(clean: Pick<Accuracy, "accuracy">, chance: number): boolean {
  return clean.accuracy <= chance;
}

/** Meaning of a verdict, in a sentence without a full stop; of an inconclusive one, with what to do. */
export function verdictMeaning(
  name: VerdictName,
  {
    few,
    failed,
    guesses = false,
  }: { readonly few: boolean; readonly failed: boolean; readonly guesses?: boolean },
): string {
  if (name === "not robust" && guesses)
    return "the model only guesses on clean images already: its labels or its preprocessing may be wrong";
  if (name !== "inconclusive") return meanings[name];
  const causes = [
    ...(few ? ["the images are too few to find one (--limit takes more)"] : []),
    ...(failed || !few ? ["an attack or a check ended in an error (the same command runs it again)"] : []),
  ];
  return `no fault was found, but ${causes.join(", and ")}`;
}

/** The verdict with its sentence and its grounds. */
export function verdictOf(name: VerdictName, figures: VerdictFigures): AuditVerdict {
  return { name, text: `${name}: ${sentences[name](figures)}`, reasons: reasonsOf(name, figures) };
}

const inBall = ({ ball }: VerdictFigures) => `within ${ball}`;
const worstText = (figures: VerdictFigures) => `${figure(figures.worst)} in the worst case of all attacks`;
const claimText = (figures: VerdictFigures) =>
  `${figure(figures.claim)} under ${figures.attack} ${inBall(figures)}`;

/** The worst case, beside the claim where there is one. */
const worstAndClaim = (figures: VerdictFigures) =>
  figures.claimed
    ? `${claimText(figures)}, ${worstText(figures)}`
    : `${worstText(figures)} ${inBall(figures)}`;

/** Errors of attacks and checks in short: the first, and how many more there are. */
export function shortOf([first, ...more]: readonly string[]): string {
  return `${first}${more.length === 0 ? "" : ` (and ${more.length} more)`}`;
}

const tooFew = ({ resolution, images }: VerdictFigures) =>
  isTooPoor(resolution) ? [resolutionText(resolution, images)] : [];

const namesOf = ({ lines }: VerdictFigures, outcome: Judgment["outcome"]) =>
  lines.filter((line) => line.outcome === outcome).map(({ name }) => name);

const sentences: Readonly<Record<VerdictName, (figures: VerdictFigures) => string>> = {
  "claim holds": worstAndClaim,
  "no fault found": worstAndClaim,
  inconclusive(figures) {
    const errors = figures.errors.length === 0 ? [] : [shortOf(figures.errors)];
    return [worstAndClaim(figures), ...tooFew(figures), ...errors].join("; ");
  },
  "not robust": (figures) => {
    const chance = "no more than chance";
    if (onlyGuesses(figures.clean, figures.chance)) {
      const guess = `${figure(figures.clean)} on clean images, ${chance} before any attack`;
      return `${guess}; ${worstAndClaim(figures)}`;
    }
    // Judged by other draws than chose it, a worst case may lie a little above what decided.
    if (figures.claim.accuracy < figures.worst.accuracy)
      return `${claimText(figures)}, ${chance}; ${worstText(figures)}`;
    return figures.claimed
      ? `${worstText(figures)}, ${chance}; ${claimText(figures)}`
      : `${worstText(figures)} ${inBall(figures)}, ${chance}`;
  },
  overstated: (figures) => `${claimText(figures)}, but ${worstText(figures)}`,
  masked(figures) {
    const names = namesOf(figures, "masked").join(", ");
    return `${worstAndClaim(figures)} says little, for gradients lead attacks astray (${names})`;
  },
  invalid({ model, lines }) {
    const faults = lines.filter(({ outcome }) => outcome === "invalid");
    // A claimed attack that fails is no fault of the model: the figures under other attacks stand.
    const { name, evidence } = faults.find((line) => line.name !== "claimed-attack") ?? faults[0]!;
    const what =
      name === "claimed-attack"
        ? `the claim about model ${model} says nothing`
        : `no accuracy of model ${model} in this audit can be trusted`;
    return `${what} (${name}: ${evidence})`;
  },
};

/** Lines and figures that decided a verdict. */
function reasonsOf(name: VerdictName, figures: VerdictFigures): Reason[] {
  const { lines, strongest, errors } = figures;
  const withOutcome = (outcome: Judgment["outcome"]) =>
    lines
      .filter((line) => line.outcome === outcome)
      .map((line) => ({ line: line.name, text: line.evidence }));
  if (name === "invalid" || name === "masked") return withOutcome(name);
  // A randomized model's worst case is judged by other draws, and may lie above.
  const lucky = strongest.accuracy < figures.worst.accuracy ? " in the draws that chose it" : "";
  const left = shareText(strongest.accuracy);
  const most = {
    text:
      strongest.attack === undefined
        ? `no single attack leaves less than the ${left} of clean images`
        : `strongest single attack: ${strongest.attack}, ${left} left${lucky}`,
  };
  if (name === "inconclusive") return [...[...tooFew(figures), ...errors].map((text) => ({ text })), most];
  return [most];
}
