/** The two networks that the paper compares: alike but for SQA. */
export const networkKinds = [
  { kind: "full", title: "full precision", sqa: null },
  { kind: "sqa", title: "SQA", sqa: {} },
] as const;
export type NetworkKind = (typeof networkKinds)[number]["kind"];

/** A kind's name in tables and figures. */
export function kindTitle(kind: NetworkKind): string {
  return networkKinds.find((one) => one.kind === kind)!.title;
}
