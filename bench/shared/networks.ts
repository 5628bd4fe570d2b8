import { type Architecture, large, resnet18, small } from "../../src/models/index.js";

/**
 * Agreement of two sides that do the same: the number of first steps, and the part of the loss that they may
 * differ by.
 */
interface Agreement {
  readonly steps: number;
  readonly tolerance: number;
}

/** A network that steps are timed on. */
export interface BenchNetwork {
  readonly model: Architecture;
  /** The file of peers/ that has it as users of PyTorch write it. */
  readonly peer: string;
  /** Data set that it trains on, and the radius of its attack. */
  readonly dataset: "mnist" | "cifar10";
  readonly epsilon: number;
  /** Images in a step, and those that batches are drawn from, where nothing is asked for. */
  readonly batch: number;
  readonly images: number;
  /** Agreement that rounding in float32 leaves: the second step tells of the first's update. */
  readonly agreement: Readonly<Record<"standard" | "fgsm", Agreement>>;
  /** Left out of the run of all networks: so slow that it is asked for by name. */
  readonly slow?: true;
  /** Remark that a reader of the times must know. */
  readonly note?: string;
}

const close = { steps: 3, tolerance: 1e-4 };

const vanilla = {
  peer: "network",
  dataset: "mnist",
  epsilon: 0.3,
  batch: 128,
  images: 60_000,
  agreement: { standard: close, fgsm: close },
} as const;

/** Every network of the benchmark; another one is a line here and, for its architecture, a file of peers/. */
export const networks = {
  small: { model: small(), ...vanilla },
  large: { model: large(), ...vanilla },
  resnet18: {
    model: resnet18({ mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] }),
    peer: "resnet",
    dataset: "cifar10",
    epsilon: 8 / 255,
    batch: 64,
    // Every contender holds them, and two dozen run at once.
    images: 2048,
    // Rounding turns the sign of a pixel's gradient here and there, and through so many layers each step
    // makes it more: in the second one PyTorch's two layouts are 7e-4 apart. The attack as a whole raises the
    // first loss by 2e-2 of it. Of standard training on CIFAR-10's images rounding makes 1e-3 of the third
    // loss, which the update before moves by 1e-1.
    agreement: { standard: { steps: 3, tolerance: 5e-3 }, fgsm: { steps: 1, tolerance: 1e-3 } },
    slow: true,
    note:
      "On both sides the attack's pass is in evaluation mode, by stored statistics, and the training " +
      "pass by the batch's; SQA stands after the first ReLU (lambda 1) and after each of the eight blocks (lambda 2).",
  },
} as const satisfies Readonly<Record<string, BenchNetwork>>;

export type NetworkName = keyof typeof networks;

/** The networks' names, those that take images of a data set, or those that run where none is asked for. */
export function networkNames(wanted: (network: BenchNetwork) => boolean = () => true): NetworkName[] {
  return (Object.keys(networks) as NetworkName[]).filter((name) => wanted(networks[name]));
}
