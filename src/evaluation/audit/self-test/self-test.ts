import * as z from "zod";
import { defineAttack, pgd } from "../../../attacks/index.js";
import { deriveSeed } from "../../../base/index.js";
import { datasetByName, type Split, subset } from "../../../datasets/index.js";
import { scope, signStep_, tensor } from "../../../engine/index.js";
import type { Classifier } from "../../../nn/classifier.js";
import { crossEntropy } from "../../../nn/losses.js";
import { MemoryStore } from "../../../trials/store.js";
import { type Trial, whiteBox } from "../../../trials/trial.js";
import { audit } from "../audit.js";
import type { Budget } from "../budget.js";
import type { Audit } from "../conclude.js";
import type { Verdict } from "../verdict.js";
import {
  batchMemory,
  coin,
  HardLevels,
  injectedNoise,
  leakingLabels,
  nanGradients,
  roundedInput,
  scaledLogits,
} from "./broken-defenses.js";
import { type RecipeName, trainedNetwork } from "./networks.js";

/** A network that the audit must see through, or trust. */
interface Case {
  readonly name: string;
  readonly base: RecipeName;
  readonly epsilon: number;
  readonly expected: readonly Verdict[];
  /** What is audited, made of the base; the base itself where left out. */
  defend?(base: Classifier, labels: Split["labels"]): Classifier;
  /** Changes the base's modules instead: HardLevels after its activations. */
  readonly shattered?: boolean;
  readonly claim?: Trial;
}

export interface SelfTestResult {
  readonly name: string;
  readonly expected: readonly Verdict[];
  readonly verdict: Verdict;
  readonly passed: boolean;
  readonly audit: Audit;
}

/** An attack that walks down the loss: a sign error. */
const descent = defineAttack("descent", {
  summary: "PGD with a sign error, for the self-test",
  options: z.strictObject({ epsilon: z.number().default(0.3), steps: z.int().default(20) }),
  traits: ({ epsilon }) => ({ norm: "linf", radius: epsilon, usesGradients: true, randomized: false }),
  run({ epsilon, steps }, target, images, labels) {
    const adversarial = images.clone();
    for (let step = 0; step < steps; step++) {
      scope(() => {
        const { gradient } = target.gradient(adversarial, (logits) => crossEntropy(logits, labels));
        signStep_(adversarial, gradient, -epsilon / 10, { images, radius: epsilon });
      });
    }
    return adversarial;
  },
});

const fails: readonly Verdict[] = ["masked", "invalid"];

export const selfTestCases: readonly Case[] = [
  {
    name: "activations rounded without a gradient",
    base: "undefended",
    epsilon: 0.3,
    expected: fails,
    shattered: true,
  },
  {
    name: "gradients that are NaN",
    base: "undefended",
    epsilon: 0.3,
    expected: ["masked"],
    defend: nanGradients,
  },
  {
    name: "logits times 10,000",
    base: "undefended",
    epsilon: 0.3,
    expected: fails,
    defend: (base) => scaledLogits(base, 1e4),
  },
  {
    name: "injected noise that hides the gradient",
    base: "undefended",
    epsilon: 0.3,
    expected: fails,
    defend: (base) => injectedNoise(base, 0.02, 2000),
  },
  {
    name: "a coin that knows the label",
    base: "undefended",
    epsilon: 0.3,
    expected: fails,
    defend: (base, labels) => coin(base, tensor(labels, [labels.length], "int64"), 0.9),
  },
  {
    name: "a classifier that reads the label off the attack",
    base: "undefended",
    epsilon: 0.3,
    expected: fails,
    defend: (base) => leakingLabels(base, 0.3),
  },
  {
    name: "input rounded to 8 levels",
    base: "undefended",
    epsilon: 0.3,
    expected: fails,
    defend: (base) => roundedInput(base, 7),
  },
  {
    name: "a claim by an attack with a sign error",
    base: "undefended",
    epsilon: 0.3,
    expected: fails,
    claim: whiteBox(descent()),
  },
  {
    name: "a classifier that remembers its batch",
    base: "undefended",
    epsilon: 0.3,
    expected: fails,
    defend: batchMemory,
  },
  { name: "an undefended network", base: "undefended", epsilon: 0.3, expected: ["not robust"] },
  {
    name: "a network trained on PGD examples",
    base: "robust",
    epsilon: 0.1,
    expected: ["robust as claimed"],
    // Who claims honestly measures by the margin and with restarts: cross-entropy from one start leaves points too many.
    claim: whiteBox(pgd({ epsilon: 0.1, stepSize: 0.01, steps: 40, restarts: 5, loss: "margin" })),
  },
];

const budget: Budget = {
  images: 100,
  draws: 40,
  steps: 20,
  restarts: 1,
  adaptiveSteps: 20,
  targets: 2,
  expectation: [1, 10],
  suiteSteps: 10,
  queries: 200,
  estimateSteps: 0,
  decisionSteps: 2,
  noiseTries: 10,
  seeds: 1,
};

/**
 * Audits networks that are known to be broken, or to be robust, and yields each with its verdict: whether the audit itself
 * can be trusted. Trains two small networks on MNIST first, in the folder `runs`.
 */
export async function* selfTest(options: {
  runs: string;
  data?: string | undefined;
  signal?: AbortSignal | undefined;
  cases?: readonly Case[];
}): AsyncGenerator<SelfTestResult, void> {
  const { runs, data, signal, cases = selfTestCases } = options;
  const { test } = datasetByName("mnist").load(data === undefined ? {} : { folder: data });
  const split = subset(test, budget.images);
  for (const one of cases) {
    const model = await trainedNetwork(one.base, runs, signal);
    if (one.shattered === true) {
      for (const [name, layer] of model.module.namedModules()) {
        if (name === "relu1" || name === "relu2") layer.outputTransforms.push(new HardLevels(0.5));
      }
    }
    try {
      const base = model.classifier();
      const subject = { model: one.defend?.(base, split.labels) ?? base };
      const { epsilon } = one;
      const claim = one.claim ?? whiteBox(pgd({ epsilon, stepSize: epsilon / 30, steps: 40 }));
      const plan = { subject, budget, norm: "linf", epsilon, claim, seed: deriveSeed(0, "self-test") } as const;
      for await (const event of audit(plan, split, { store: new MemoryStore(), signal })) {
        if (event.type !== "end") continue;
        const { verdict } = event.audit;
        yield {
          name: one.name,
          expected: one.expected,
          verdict,
          passed: one.expected.includes(verdict),
          audit: event.audit,
        };
      }
    } finally {
      model.module.dispose();
    }
  }
}
