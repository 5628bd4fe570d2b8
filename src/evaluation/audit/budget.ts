/**
 * How much an audit spends. Its folder is named by it, so that what is added here is optional: a budget without it keeps its
 * folders.
 */
export interface Budget {
  /** Test images attacked. */
  readonly images: number;
  /** Fresh draws that a randomized network answers each image in. */
  readonly draws: number;
  /** Steps of an iterative attack; the check of convergence doubles them. */
  readonly steps: number;
  /** Restarts of an iterative attack; the check of convergence doubles them. */
  readonly restarts: number;
  /** Steps of the attacks that adapt them. */
  readonly adaptiveSteps: number;
  /** Classes that the targeted one of them leads to. */
  readonly targets: number;
  /** Draws that gradients are averaged over, in turn. */
  readonly expectation: readonly number[];
  /** Steps of the suite's attacks. */
  readonly suiteSteps: number;
  /** Queries of a score-based attack for an image. */
  readonly queries: number;
  /** Steps of each attack by estimated gradients; 0 for none. */
  readonly estimateSteps: number;
  /** Steps of HopSkipJump. */
  readonly decisionSteps: number;
  /** Steps of the boundary attack, of two decisions each; none where left out. */
  readonly boundarySteps?: number;
  /** Points of the ball tried at random. */
  readonly noiseTries: number;
  /** Points tried by Gaussian noise; none where left out. */
  readonly gaussianTries?: number;
  /** Angles that images are turned by, with 25 shifts each; none where left out. */
  readonly angles?: number;
  /** Known draws of a randomized network that are attacked one by one. */
  readonly seeds: number;
  /**
   * Attacks that the security curve shows beside those of every budget: APGD, averaged gradients, other networks' images, Square,
   * noise, and DeepFool or DDN. None where left out. Folders
   * are not named by it: trials have names of their own, so that an audit which began without these goes on with them.
   */
  readonly curve?: {
    /** Queries of Square at each radius. */
    readonly queries: number;
    /** Points tried at random at each radius. */
    readonly noiseTries: number;
    /** Draws of a randomized network that PGD's gradients are averaged over at each radius. */
    readonly draws: number;
  };
}

/** Images of a batch: what a killed audit loses at most of a trial. No result depends on it. */
export const batchImages = 50;

/** Budgets by name. An audit with fewer images than a budget's says so in its intervals. */
export const budgets = {
  quick: {
    images: 100,
    draws: 100,
    steps: 40,
    restarts: 2,
    adaptiveSteps: 40,
    targets: 3,
    expectation: [1, 5, 20],
    suiteSteps: 20,
    queries: 500,
    estimateSteps: 0,
    decisionSteps: 5,
    noiseTries: 200,
    seeds: 1,
  },
  standard: {
    images: 200,
    draws: 100,
    steps: 100,
    restarts: 5,
    adaptiveSteps: 100,
    targets: 9,
    expectation: [1, 5, 20, 100],
    suiteSteps: 100,
    queries: 5000,
    estimateSteps: 40,
    decisionSteps: 20,
    boundarySteps: 2500,
    noiseTries: 1000,
    gaussianTries: 1000,
    angles: 31,
    seeds: 5,
    curve: { queries: 500, noiseTries: 100, draws: 20 },
  },
  full: {
    images: 1000,
    draws: 100,
    steps: 100,
    restarts: 10,
    adaptiveSteps: 100,
    targets: 9,
    expectation: [1, 5, 20, 100],
    suiteSteps: 100,
    queries: 5000,
    estimateSteps: 40,
    decisionSteps: 40,
    boundarySteps: 5000,
    noiseTries: 10_000,
    gaussianTries: 10_000,
    angles: 31,
    seeds: 5,
    curve: { queries: 2000, noiseTries: 1000, draws: 20 },
  },
} as const satisfies Record<string, Budget>;
export type BudgetName = keyof typeof budgets;
