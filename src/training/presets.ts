import type { TrainConfigInput } from "./config-input.js";

/** Named starting point of a configuration, with what it is for. */
export interface Preset {
  readonly summary: string;
  readonly config: Partial<TrainConfigInput>;
}

/** Named starting points: `train({ ...presets["mnist-short"].config, model: small(), data: mnist() })`. */
export const presets = {
  /**
   * Section 4 of the paper: SGD 0.1, momentum 0.9, decay 5e-4, 100 epochs, a tenth every 30, batches of 128.
   */
  paper: {
    summary: "the paper's recipe: 100 epochs, half clean and half FGSM images",
    config: { epochs: 100, schedule: "step(peak=0.1, epochs=30, factor=0.1)", cleanWeight: 0.5 },
  },
  /**
   * FGSM from a random start at half the paper's rate: the recipe on which SQA trained well from every seed.
   */
  "mnist-short": {
    summary: "MNIST in 4 epochs: FGSM from a random start",
    config: {
      model: "small",
      data: "mnist",
      epochs: 4,
      schedule: "one-cycle(peak=0.05)",
      method: "fgsm-rs(epsilon=0.3)",
    },
  },
  /** FastAT Benchmark's recipe. Its noise of two epsilon is too much at MNIST's 0.3. */
  "cifar10-modern": {
    summary: "CIFAR-10 as the field trains now: N-FGSM, smoothed labels, averaged weights, the best epoch",
    config: {
      model: "preact-resnet18",
      data: "cifar10",
      augmentation: "crop-flip",
      epochs: 30,
      schedule: "one-cycle(peak=0.1)",
      method: "n-fgsm(epsilon=8/255)",
      labelSmoothing: 0.4,
      averaging: 0.9995,
      selection: "best",
      heldOut: 1000,
      validationAttacks: ["fgsm(epsilon=8/255)", "pgd(epsilon=8/255, stepSize=2/255, steps=10)"],
    },
  },
  /** Wong et al.'s recipe at twice their rate, on a small network of our own. */
  "mnist-fast": {
    summary: "MNIST in half a minute, on a network that reads pixels as black or white",
    config: {
      model: "compact",
      data: "mnist",
      epochs: 5,
      batchSize: 100,
      method: "fgsm-rs(epsilon=0.3)",
      optimizer: "adam",
      schedule: "one-cycle(peak=0.01)",
      validationImages: 250,
    },
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;
