import { deserialize, serialize } from "node:v8";
import { native } from "../native.js";
import { scope } from "../scope.js";
import { Tensor } from "../tensor.js";
import { type Launch, launchOf } from "./launch.js";
import { alone, FirstRankError, type Ranks } from "./ranks.js";

/** Names of Open MPI's library, of versions 2 to 5; `SQA_MPI` is another name or a path. */
const libraries = (
  process.platform === "darwin" ? ["libmpi.40.dylib", "libmpi.dylib"] : ["libmpi.so.40", "libmpi.so"]
) as readonly string[];

let joined: Ranks | undefined;

/**
 * Joins the processes that mpirun or srun started beside this one; `alone` where there are none. A process
 * that fails from here on ends the others as well.
 *
 * @throws RangeError where the environment does not say clearly who the ranks are, Error where Open MPI
 *   cannot join them
 * @example await train({ model: "small", data: "mnist" }, { ranks: joinRanks() })
 */
export function joinRanks(launch: Launch | undefined = launchOf()): Ranks {
  if (joined !== undefined) return joined;
  if (launch === undefined || launch.size === 1) return alone;
  const { launcher, rank, size } = launch;
  if (launcher === "torchrun" || launcher === "MPICH") {
    throw new RangeError(
      `${launcher} started this as rank ${rank} of ${size}, but ranks are joined by Open MPI: start ` +
        `them by mpirun -n ${size} or by srun, or give --standalone to train in each process by itself`,
    );
  }
  const found = open();
  if (found.rank !== rank || found.size !== size) {
    throw new Error(
      `${launcher} started this as rank ${rank} of ${size}, and Open MPI found rank ${found.rank} of ` +
        `${found.size}: use the mpirun of the same Open MPI, or srun --mpi=pmix`,
    );
  }
  joined = new MpiRanks(rank, size);
  return joined;
}

function open(): { rank: number; size: number } {
  const { SQA_MPI } = process.env;
  const names = SQA_MPI === undefined ? libraries : [SQA_MPI];
  for (const name of names.slice(0, -1)) {
    try {
      return native().joinRanks(name);
    } catch {
      // The last one tells.
    }
  }
  try {
    return native().joinRanks(names.at(-1)!);
  } catch (cause) {
    throw new Error(
      `ranks are joined by Open MPI, which cannot be used here: ${(cause as Error).message}. Install it ` +
        "(on Debian: apt-get install openmpi-bin), or set SQA_MPI to its libmpi",
      { cause },
    );
  }
}

/** Value or error of the first rank, as it crosses to the others. */
type Answer = { readonly value: unknown } | { readonly error: string };

class MpiRanks implements Ranks {
  readonly isFirst: boolean;
  #together = false;

  constructor(
    readonly rank: number,
    readonly size: number,
  ) {
    this.isFirst = rank === 0;
    process.on("exit", (code) => native().leaveRanks(this.#together ? 0 : code));
  }

  sumTensors(tensors: readonly Tensor[]): Tensor[] {
    const sums = native().sumTensors(tensors.map(({ handle }) => handle));
    return sums.map((handle) => new Tensor(handle));
  }

  sum(numbers: readonly number[]): number[] {
    const sums = Float64Array.from(numbers);
    native().sumNumbers(sums);
    return [...sums];
  }

  any(flag: boolean): boolean {
    return this.sum([flag ? 1 : 0])[0]! > 0;
  }

  fromFirst<T>(make: () => T): T {
    if (!this.isFirst) {
      const answer = deserialize(this.#bytesOfFirst(new Uint8Array(0))) as Answer;
      if ("error" in answer) throw new FirstRankError(`rank 0: ${answer.error}`);
      return answer.value as T;
    }
    let value: T;
    try {
      value = make();
    } catch (error) {
      this.#bytesOfFirst(serialize({ error: error instanceof Error ? error.message : String(error) }));
      throw error;
    }
    this.#bytesOfFirst(serialize({ value }));
    return value;
  }

  #bytesOfFirst(own: Uint8Array): Uint8Array {
    const length = new Uint8Array(BigUint64Array.of(BigInt(own.length)).buffer);
    native().bytesOfFirst(length);
    const bytes = this.isFirst ? own : new Uint8Array(Number(new BigUint64Array(length.buffer)[0]));
    native().bytesOfFirst(bytes);
    return bytes;
  }

  copyFirst(tensors: readonly Tensor[]): void {
    scope(() => native().tensorsOfFirst(tensors.map(({ handle }) => handle)));
  }

  endTogether(): void {
    this.#together = true;
  }
}
