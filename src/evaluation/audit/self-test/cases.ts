import * as z from "zod";
import { type Attack, defineAttack, pgd } from "../../../attacks/index.js";
import type { Split } from "../../../datasets/index.js";
import { scope, signStep_, tensor } from "../../../engine/index.js";
import { type Classifier, crossEntropy } from "../../../nn/index.js";
import type { VerdictName } from "../verdict/verdict.js";
import {
  batchMemory,
  coin,
  injectedNoise,
  leakingLabels,
  nanGradients,
  roundedInput,
  scaledLogits,
} from "./broken-defenses.js";
import type { RecipeName } from "./models.js";

/** Model that the audit must see through, or trust. */
export interface SelfTestCase {
  readonly name: string;
  readonly base: RecipeName;
  readonly epsilon: number;
  /** Verdicts that it deserves. */
  readonly expected: readonly VerdictName[];
  /** Makes what is audited of the base; the base itself is audited where left out. */
  defend?(base: Classifier, labels: Split["labels"]): Classifier;
  /** Changes the base's modules instead: HardLevels after its activations. */
  readonly shattered?: boolean;
  readonly claim?: Attack;
}

/** Attack that walks down the loss: a sign error. */
const descent = defineAttack("descent", {
  summary: "PGD with a sign error, for the self-test",
  options: z.strictObject({ epsilon: z.number().default(0.3), steps: z.int().default(20) }),
  traits: ({ epsilon }) => ({ norm: "linf", radius: epsilon, usesGradients: true, randomized: false }),
  run({ epsilon, steps }, victim, images, labels) {
    const adversarial = images.clone();
    for (let step = 0; step < steps; step++) {
      scope(() => {
        const { gradient } = victim.gradient(adversarial, (logits) => crossEntropy(logits, labels));
        signStep_(adversarial, gradient, -epsilon / 10, { images, radius: epsilon });
      });
    }
    return adversarial;
  },
});

const undefended = { base: "undefended", epsilon: 0.3, expected: ["masked", "invalid"] } as const;

/** Models that are known to be broken, or to be robust. */
export const selfTestCases: readonly SelfTestCase[] = [
  { ...undefended, name: "activations rounded without a gradient", shattered: true },
  { ...undefended, name: "gradients that are NaN", expected: ["masked"], defend: nanGradients },
  { ...undefended, name: "logits times 10,000", defend: (base) => scaledLogits(base, 1e4) },
  {
    ...undefended,
    name: "injected noise that hides the gradient",
    defend: (base) => injectedNoise(base, 0.02, 2000),
  },
  {
    ...undefended,
    name: "a coin that knows the label",
    defend: (base, labels) => coin(base, tensor(labels, [labels.length], "int64"), 0.9),
  },
  {
    ...undefended,
    name: "a classifier that reads the label off the attack",
    defend: (base) => leakingLabels(base, 0.3),
  },
  { ...undefended, name: "input rounded to 8 levels", defend: (base) => roundedInput(base, 7) },
  { ...undefended, name: "a claim by an attack with a sign error", claim: descent() },
  { ...undefended, name: "a classifier that remembers its batch", defend: batchMemory },
  { ...undefended, name: "an undefended model", expected: ["not robust"] },
  {
    name: "a model trained on PGD examples",
    base: "robust",
    epsilon: 0.1,
    expected: ["claim holds"],
    // An honest claim uses the margin and restarts: by cross-entropy from one start it is points too high.
    claim: pgd({ epsilon: 0.1, stepSize: 0.01, steps: 40, restarts: 5, loss: "margin" }),
  },
];
