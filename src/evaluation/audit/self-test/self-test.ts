import { mnist, subset } from "../../../datasets/index.js";
import { audit } from "../audit.js";
import type { Budget } from "../budget.js";
import type { Report } from "../report/report.js";
import type { VerdictName } from "../verdict/verdict.js";
import { HardLevels } from "./broken-defenses.js";
import { type SelfTestCase, selfTestCases } from "./cases.js";
import { trainedModel } from "./models.js";

/** Audit of a model that is known to be broken or robust. */
export interface SelfTestResult {
  readonly name: string;
  /** Verdicts that the model deserves. */
  readonly expected: readonly VerdictName[];
  readonly passed: boolean;
  readonly report: Report;
}

/** Budget of the self-test. */
const selfTestBudget: Budget = {
  images: 120,
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
 * Audits models that are known to be broken, or to be robust, and yields each with its report, which tells
 * whether the audit can be trusted. Trains two small models on MNIST first, in the folder `runs`.
 *
 * @param options `data` is a folder of MNIST's files; those of the package where left out
 */
export async function* selfTest(options: {
  runs: string;
  data?: string | undefined;
  signal?: AbortSignal | undefined;
  cases?: readonly SelfTestCase[];
}): AsyncGenerator<SelfTestResult, void> {
  const { signal, cases = selfTestCases } = options;
  const { test } = mnist({ folder: options.data });
  const split = subset(test, selfTestBudget.images);
  for (const { base, shattered, defend, name, expected, ...claimed } of cases) {
    const model = await trainedModel(base, options);
    if (shattered === true) {
      for (const [layer, module] of model.module.namedModules()) {
        if (layer === "relu1" || layer === "relu2") module.outputTransforms.push(new HardLevels(0.5));
      }
    }
    try {
      const classifier = model.classifier();
      const { epsilon, claim } = claimed;
      const report = await audit(defend?.(classifier, split.labels) ?? classifier, split, {
        epsilon,
        ...(claim && { claim }),
        budget: selfTestBudget,
        signal,
      });
      yield { name, expected, passed: expected.includes(report.verdict.name), report };
    } finally {
      model.module.dispose();
    }
  }
}
