/** Exported model that attack passes are timed on. */
export interface BenchModel {
  /** Images of a pass, and the sides of an image. */
  readonly batch: number;
  readonly size: number;
}

/** Every model of the benchmark, by its name in peers/exported.py. */
export const benchModels = {
  "resnet18-cifar": { batch: 128, size: 32 },
  resnet50: { batch: 16, size: 224 },
  vit_b_16: { batch: 16, size: 224 },
} as const satisfies Readonly<Record<string, BenchModel>>;

export type BenchModelName = keyof typeof benchModels;

/** Forms of a pass: ours, then PyTorch's, which run the file or the module that it was exported of. */
export const ourForms = ["constant weights", "layer by layer"] as const;
export const peerForms = [
  "exported",
  "eager",
  "eager channels-last",
  "compile",
  "compile channels-last",
] as const;
