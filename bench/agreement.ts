import { Child } from "./child.js";
import { commandOf, contendersOf } from "./contenders.js";
import type { BenchOptions, NetworkName } from "./options.js";

/** Steps that are compared: the second tells of the first's update. */
const compared = 3;

/** Losses may differ by so much, as a share of the loss: both round in float32. */
export const tolerance = 1e-4;

/**
 * The largest difference between our losses and PyTorch's (eager, float32) over the first steps from the same weights on one
 * batch, as a share: FGSM's loss is that of the perturbed images, so both attack alike, and both update alike. (Steps with
 * SQA draw other noise on both sides.) Throws an Error where a difference is beyond the tolerance.
 */
export async function agreement(
  network: NetworkName,
  options: BenchOptions,
  /** `images` holds one batch. */
  files: { images: string; weights: string },
): Promise<number> {
  const { batch, threads, python } = options;
  const contenders = contendersOf(network, options, true).filter(({ step }) => step !== "fgsm + sqa");
  let worst = 0;
  for (const step of ["standard", "fgsm"] as const) {
    const losses: (readonly number[])[] = [];
    for (const side of ["ours", "PyTorch"] as const) {
      const { task } = contenders.find((one) => one.side === side && one.step === step)!;
      const child = new Child(commandOf(side, python), { ...task, ...files, count: batch }, threads);
      try {
        await child.ready();
        losses.push((await child.run(compared)).losses!);
      } finally {
        child.end();
      }
    }
    const [ours, theirs] = losses;
    const differences = ours!.map((loss, i) => Math.abs(loss - theirs![i]!) / Math.abs(theirs![i]!));
    worst = Math.max(worst, ...differences);
    if (!(worst <= tolerance)) {
      throw new Error(
        `${network}, ${step}: the losses differ: ours ${ours!.join(", ")}, PyTorch's ${theirs!.join(", ")}`,
      );
    }
  }
  return worst;
}
