/**
 * An operator of libtorch failed: the message starts with the operator's name and keeps the first line only.
 */
export class TensorError extends Error {
  override readonly name = "TensorError";
  readonly code = "ERR_TORCH";
}

/** A tensor was used after it was disposed (by `dispose`, `using`, or the end of a `scope`). */
export class UseAfterDisposeError extends Error {
  override readonly name = "UseAfterDisposeError";
}

/**
 * A network's logits or its gradients are NaN or infinite: nothing can be concluded from a comparison with
 * them.
 */
export class NotFiniteError extends Error {
  override readonly name = "NotFiniteError";
  readonly what: "logits" | "gradients";

  constructor(what: "logits" | "gradients", message: string) {
    super(message);
    this.what = what;
  }
}

/** A file that was read does not hold what it should: the message names the file and what is wrong. */
export class FileFormatError extends Error {
  override readonly name: string = "FileFormatError";
}

/** A file or folder that should be read is not there: the message names it, and what may be given. */
export class MissingFileError extends FileFormatError {
  override readonly name = "MissingFileError";
}

/** Returns what was thrown as an Error, whatever it is. */
export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Message of what was thrown, whatever it is. */
export function messageOf(thrown: unknown): string {
  return errorOf(thrown).message;
}

/** Number of edits between two words: letters more, less, another, or swapped (Damerau 1964). */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const [before, row] = [rows[i - 1]!, [i]];
    for (let j = 1; j <= b.length; j++) {
      const edits = [before[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1), before[j]! + 1, row[j - 1]! + 1];
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) edits.push(rows[i - 2]![j - 2]! + 1);
      row.push(Math.min(...edits));
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** The known name nearest to a mistyped one, or undefined when none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** A RangeError for a name that is not among the known ones: suggests the nearest and lists all. */
export function unknownName(kind: string, name: string, known: readonly string[]): RangeError {
  // Callers without types may give anything.
  const text = String(name);
  const near = nearestName(text, known);
  const hint = near === undefined ? "" : ` did you mean "${near}"?`;
  return new RangeError(`unknown ${kind} "${text}";${hint} known: ${known.join(", ")}`);
}
