import { Child } from "../shared/child.js";
import { type NetworkName, networks } from "../shared/networks.js";
import { commandOf, contendersOf } from "./contenders.js";
import type { BenchOptions } from "./options.js";

/**
 * The largest difference between our losses and PyTorch's (eager, float32) over the first steps from the same
 * weights on one batch, as a share: FGSM's loss is that of the perturbed images, so both attack alike, and
 * both update alike. (Steps with SQA draw other noise on both sides.) Throws an Error where a difference is
 * beyond the network's tolerance.
 */
export async function agreement(
  network: NetworkName,
  options: BenchOptions,
  /** `images` holds one batch. */
  files: { images: string; weights: string },
): Promise<number> {
  const { batch, threads, python } = options;
  // In float32, whatever is timed: rounding to bfloat16 hides small errors.
  const contenders = contendersOf(network, { ...options, precisions: ["float32"] }, true).filter(
    ({ step }) => step !== "fgsm + sqa",
  );
  let worst = 0;
  for (const step of ["standard", "fgsm"] as const) {
    const { steps, tolerance } = networks[network].agreement[step];
    const losses: (readonly number[])[] = [];
    for (const side of ["ours", "PyTorch"] as const) {
      const { task } = contenders.find((one) => one.side === side && one.step === step)!;
      const child = new Child(commandOf(side, python), { ...task, ...files, count: batch }, threads);
      try {
        await child.ready();
        losses.push((await child.run(steps)).losses!);
      } finally {
        child.end();
      }
    }
    const [ours, theirs] = losses;
    const differences = ours!.map((loss, i) => Math.abs(loss - theirs![i]!) / Math.abs(theirs![i]!));
    const largest = Math.max(...differences);
    worst = Math.max(worst, largest);
    if (!(largest <= tolerance)) {
      throw new Error(
        `${network}, ${step}: the losses differ: ours ${ours!.join(", ")}, PyTorch's ${theirs!.join(", ")}`,
      );
    }
  }
  return worst;
}
