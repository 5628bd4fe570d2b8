import * as z from "zod";
import { mostDraws } from "../../trials/index.js";

const some = z.int().min(1);
const anyNumber = z.int().min(0);

const curve = z.strictObject({
  queries: some.describe("queries of Square at each radius"),
  noiseTries: some.describe("random points tried at each radius"),
  draws: some.describe("draws of a randomized model that PGD's gradients are averaged over at each radius"),
});

/** Options of a budget, the effort of an audit. */
export const budgetOptions = z.strictObject({
  images: some.describe("images attacked"),
  draws: some.max(mostDraws).describe("fresh draws in which a randomized model answers each image"),
  steps: some.describe("steps of an iterative attack; the check of convergence doubles them"),
  restarts: some.describe("restarts of an iterative attack; the check of convergence doubles them"),
  adaptiveSteps: some.describe("steps of APGD and targeted APGD"),
  targets: some.describe("classes that targeted APGD leads to"),
  expectation: z.array(some).describe("numbers of draws that gradients are averaged over"),
  suiteSteps: some.describe("steps of AutoAttack's attacks and of FAB"),
  queries: some.describe("queries of Square for an image"),
  estimateSteps: anyNumber.describe("steps of attacks by estimated gradients; 0 for none"),
  decisionSteps: some.describe("steps of HopSkipJump"),
  boundarySteps: some
    .optional()
    .describe("steps of the boundary attack, of two decisions each (default: none)"),
  noiseTries: some.describe("random points of the ball tried"),
  gaussianTries: some.optional().describe("points of Gaussian noise tried (default: none)"),
  angles: some.optional().describe("angles that images are turned by, with 25 shifts each (default: none)"),
  seeds: anyNumber.describe("fixed seeds of a randomized model that are attacked one by one"),
  curve: curve.optional().describe("further attacks at each radius of the security curve (default: none)"),
});

/** Effort of an audit. */
export type Budget = z.output<typeof budgetOptions>;

/** Images of a batch: all that a killed audit loses of a trial. Results do not depend on it. */
export const batchImages = 50;

/** Budgets by name. */
export const budgets = {
  quick: {
    images: 120,
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
} satisfies Record<string, Budget>;

/** Name of a budget, such as "standard". */
export type BudgetName = keyof typeof budgets;

/** Names of all budgets. */
export const budgetNames = Object.keys(budgets) as [BudgetName, ...BudgetName[]];
