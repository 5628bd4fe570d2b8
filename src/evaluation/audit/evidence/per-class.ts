import { type Accuracy, type Counts, wilson } from "../../../trials/index.js";
import { normalQuantile } from "../difference.js";
import type { AuditJson } from "../report/schema/audit.js";

type PerClass = AuditJson["evidence"]["perClass"];

/** Name of the method of a class's interval. */
export const perClassMethod =
  "Wilson score on the images' mean shares, wider by the number of classes (Bonferroni): all hold together";

/** Accuracy of some images; null without any. */
function accuracyAmong(counts: Counts, images: readonly number[], classes: number): Accuracy | null {
  if (images.length === 0) return null;
  const { correct, draws } = counts;
  const answered = images.reduce((sum, image) => sum + correct[image]!, 0);
  return wilson(answered / draws, images.length, normalQuantile(0.025 / classes));
}

/** Accuracies of each class, clean and in the worst case. */
export function perClassOf(
  labels: readonly number[],
  names: readonly string[],
  { clean, worst }: { readonly clean: Counts; readonly worst: Counts },
): PerClass {
  return names.map((name, label) => {
    const images = labels.flatMap((one, i) => (one === label ? [i] : []));
    const [cleanly, worstly] = [clean, worst].map((counts) => accuracyAmong(counts, images, names.length));
    return { label, name, images: images.length, clean: cleanly!, worst: worstly! };
  });
}

/** Lowest of the classes' worst cases; undefined where a class has no image. */
export function perClassWorst(classes: PerClass): Accuracy | undefined {
  const found = classes.map(({ worst }) => worst);
  if (found.some((worst) => worst === null)) return undefined;
  // The lowest end of an interval need not be that of the lowest accuracy: classes differ in size.
  const all = found as Accuracy[];
  const least = (end: keyof Accuracy) => Math.min(...all.map((one) => one[end]));
  return { accuracy: least("accuracy"), low: least("low"), high: least("high") };
}
