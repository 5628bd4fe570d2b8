import { Child } from "../shared/child.js";
import type { NetworkName } from "../shared/networks.js";
import { type Contender, commandOf, contendersOf } from "./contenders.js";
import { Matrices } from "./matrices.js";
import type { BenchOptions } from "./options.js";

/**
 * Measurement of a contender: seconds a step, one number a round, and its process' peak memory in
 * bytes.
 */
export interface Measured {
  readonly contender: Contender;
  readonly samples: readonly number[];
  readonly memory: number;
  /** Why there are no samples. */
  readonly failed?: string;
}

/** Round of one network: everybody's samples, and each engine's fastest products of matrices. */
export interface MeasuredNetwork {
  readonly contenders: readonly Measured[];
  readonly matrices: Matrices;
  /** Engine that each side computes with, such as `libtorch 2.13.0`. */
  readonly engines: Readonly<Record<string, string>>;
}

/** Seconds that the timed part of a turn lasts about, so that a slow contender makes few steps a turn. */
const turnSeconds = 0.5;
const mostSteps = 40;
/**
 * Before it as many steps again as this share, not timed: they find the caches full of others' data, as a
 * training run's do once.
 */
const settlingShare = 0.25;

/** A contender at work. */
class Entrant {
  readonly samples: number[] = [];
  failed: string | undefined;
  memory = Number.NaN;
  #steps = 1;

  constructor(
    readonly contender: Contender,
    readonly child: Child,
  ) {}

  /** Does something with the child; what breaks the child takes it out of the benchmark, and nothing else. */
  async try(work: () => Promise<void>): Promise<void> {
    if (this.failed !== undefined) return;
    try {
      await work();
    } catch (error) {
      this.failed = (error as Error).message;
      this.samples.length = 0;
    }
  }

  warmUp(quick: boolean): Promise<void> {
    return this.try(async () => {
      await this.child.run(2);
      if (quick) return;
      const { seconds } = await this.child.run(2);
      this.#steps = Math.min(mostSteps, Math.max(1, Math.round((2 * turnSeconds) / seconds)));
    });
  }

  turn(): Promise<void> {
    return this.try(async () => {
      await this.child.run(Math.ceil(settlingShare * this.#steps));
      const { seconds } = await this.child.run(this.#steps);
      this.samples.push(seconds / this.#steps);
      this.memory = this.child.peakMemory();
    });
  }
}

/**
 * Times every contender of a network in one interleaved run: in a round each makes a few steps in turn,
 * beginning with another one each time. `tell` is told how far it is.
 */
export async function measure(
  network: NetworkName,
  options: BenchOptions,
  files: { images: string; weights: string },
  peers: boolean,
  tell: (line: string) => void,
): Promise<MeasuredNetwork> {
  const { rounds, threads, python, quick } = options;
  const entrants: Entrant[] = [];
  const engines: Record<string, string> = {};
  const sides = peers ? (["ours", "PyTorch"] as const) : (["ours"] as const);
  const matrices = new Matrices(sides.map((side) => [side, new Child(commandOf(side, python), {}, threads)]));
  try {
    // One after the other, since compiling keeps a processor busy.
    for (const contender of contendersOf(network, options, peers)) {
      tell(`${network}: ${contender.side}, ${contender.step}, ${contender.form}: begins`);
      const task = { ...contender.task, ...files, count: options.images };
      const entrant = new Entrant(contender, new Child(commandOf(contender.side, python), task, threads));
      entrants.push(entrant);
      await entrant.try(async () => {
        const { ready, capability } = await entrant.child.ready();
        engines[contender.side] = `${ready}, ${capability}`;
      });
      await entrant.warmUp(quick);
    }
    await matrices.warmUp(quick);
    for (let round = 0; round < rounds; round++) {
      tell(`${network}: round ${round + 1} of ${rounds}`);
      const first = round % entrants.length;
      for (const entrant of [...entrants.slice(first), ...entrants.slice(0, first)]) await entrant.turn();
      await matrices.turn();
    }
  } finally {
    for (const { child } of entrants) child.end();
    matrices.end();
  }
  const contenders = entrants.map(({ contender, samples, memory, failed }) => ({
    contender,
    samples,
    memory,
    ...(failed === undefined ? {} : { failed }),
  }));
  return { contenders, matrices, engines };
}
