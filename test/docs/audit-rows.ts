import { read } from "./pages.js";

/** Stored audit, as far as it is read here: accuracies as shares. */
interface StoredAudit {
  readonly claim: { readonly accuracy: number };
  readonly worst: { readonly accuracy: number };
  readonly trials: readonly {
    readonly attack?: string;
    readonly shownTo: string;
    readonly accuracy: number;
  }[];
}

const percent = (share: number) => (100 * share).toFixed(1);

/**
 * Cells of the row of docs/reproduction/audit.md for an audit by the standard budget, as the stored file has
 * them: from the claimed attack to the worst case.
 */
export function auditRow(name: string): string {
  const audit = JSON.parse(read(`results/audit/${name}/audit.json`)) as StoredAudit;
  const trials = audit.trials.filter(({ attack }) => attack !== undefined);
  const shares = (pattern: RegExp, shownTo = /^model$/) =>
    trials
      .filter((trial) => pattern.test(trial.attack!) && shownTo.test(trial.shownTo))
      .map(({ accuracy }) => accuracy);
  const only = (pattern: RegExp) => {
    const found = shares(pattern);
    if (found.length !== 1) throw new Error(`${name}: ${found.length} trials are ${pattern}`);
    return percent(found[0]!);
  };
  // Means of logits and of probabilities: the stronger counts.
  const averaged = ["", ", draws=100"].map((draws) =>
    shares(new RegExp(`^expectation\\(pgd\\(steps=100\\)${draws}(, mean=softmax)?\\)$`)),
  );
  const fixed = shares(/^autoattack/, /^fixed-seed/).map((share) => Math.round(100 * share));
  const cells = [
    percent(audit.claim.accuracy),
    only(/^pgd\(steps=100, restarts=10\)$/),
    only(/^worst-case\(apgd\(stopWhenFooled=true\)/),
    averaged[0]!.length === 0 ? "–" : averaged.map((found) => percent(Math.min(...found))).join(" / "),
    only(/^autoattack/),
    only(/^square($|\(queries=1250)/),
    `${only(/^spsa/)}, ${only(/^nes/)}`,
    `${only(/^within\(hop-skip-jump/)}, ${only(/^within\(boundary/)}`,
    fixed.length === 0 ? "–" : `${Math.min(...fixed)} to ${Math.max(...fixed)}`,
    percent(audit.worst.accuracy),
  ];
  return `| ${cells.join(" | ")} |`;
}
