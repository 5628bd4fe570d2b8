import { fgsm, pgd } from "../../../src/attacks/index.js";
import type { Steps } from "../../../src/base/index.js";
import type { Cell, CellEvent, CellOutcome, Question } from "../../../src/paper/index.js";
import { trainConfig } from "../../../src/training/index.js";

/** Small run, and questions to it: clean images, FGSM, and PGD on the noise-free model. */
export function tinyCell(seed: number, epochs = 1, questions: readonly Question[] = tinyQuestions): Cell {
  const config = trainConfig({
    model: "small",
    data: "mnist",
    defenses: ["sqa"],
    limit: 64,
    batchSize: 32,
    validationImages: 8,
    validationAttacks: ["fgsm(epsilon=0.1)"],
    epochs,
    seed,
  });
  return { name: `tiny-seed${seed}`, config, questions };
}

const tinyQuestions: readonly Question[] = [
  { key: "clean", limit: 16 },
  { key: "fgsm", attack: fgsm({ epsilon: 0.1 }), limit: 16 },
  { key: "noise-free fgsm", attack: fgsm({ epsilon: 0.1 }), limit: 16, noiseFree: true },
  { key: "surrogate", attack: pgd({ epsilon: 0.1, steps: 2 }), limit: 16, surrogate: "noise-free" },
];

/** Events of the work on cells, and what it returns. */
export async function followed(
  steps: Steps<CellEvent, CellOutcome[]>,
  see: (event: CellEvent) => unknown = () => {},
): Promise<{ events: CellEvent[]; outcomes: CellOutcome[] | undefined }> {
  const events: CellEvent[] = [];
  for (let step = await steps.next(); ; step = await steps.next()) {
    if (step.done === true) return { events, outcomes: step.value };
    events.push(step.value);
    await see(step.value);
  }
}
