import { countText } from "../../base/index.js";
import type { MeasuredRow } from "./data.js";

/** Remark on rows that are trained for fewer epochs than the paper's. */
export function shortenedNotes(rows: readonly MeasuredRow[], paperEpochs: number): string[] {
  const shortened = rows.filter(({ config }) => config.epochs < paperEpochs);
  if (shortened.length === 0) return [];
  const lengths = [...new Set(rows.map(({ config }) => config.epochs))];
  const parts = [...new Set(shortened.map(({ config }) => config.epochs))].map((epochs) => {
    const titles = shortened.filter(({ config }) => config.epochs === epochs).map(({ title }) => title);
    return countText(epochs, "epoch") + (lengths.length === 1 ? "" : ` (${titles.join("; ")})`);
  });
  return [`Shortened: the paper trains ${paperEpochs} epochs; here ${parts.join(", ")}.`];
}
