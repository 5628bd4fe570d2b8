import { native } from "../native.js";
import { type Launch, launchOf } from "./launch.js";
import { type Meeting, meetingOf } from "./meeting.js";
import { NativeRanks } from "./native-ranks.js";
import { alone, type Ranks } from "./ranks.js";

/** Names of Open MPI's library, of versions 2 to 5; `SQA_MPI` is another name or a path. */
const libraries = (
  process.platform === "darwin" ? ["libmpi.40.dylib", "libmpi.dylib"] : ["libmpi.so.40", "libmpi.so"]
) as readonly string[];

let joined: Ranks | undefined;

/**
 * Joins the processes that mpirun, srun or torchrun started beside this one; `alone` where there are none. A
 * process that fails from here on ends the others as well.
 *
 * @throws RangeError where the environment does not say clearly who the ranks are, Error where they cannot be
 *   joined
 * @example await train({ model: "small", data: "mnist" }, { ranks: joinRanks() })
 */
export function joinRanks(launch: Launch | undefined = launchOf()): Ranks {
  if (joined !== undefined) return joined;
  if (launch === undefined || launch.size === 1) return alone;
  const { launcher, rank, size } = launch;
  // Of MPICH, or of srun without PMIx: Open MPI would find no other process.
  if (launcher === "PMI" || (launcher === "srun" && process.env.PMIX_RANK === undefined)) {
    throw new RangeError(
      `${launcher} started this as rank ${rank} of ${size}, but ranks are joined by Open MPI: start them ` +
        `by its mpirun -n ${size} or by srun --mpi=pmix, or give --standalone to train in each process by ` +
        "itself",
    );
  }
  const found = launcher === "torchrun" ? meet(launch, meetingOf(launch)) : joinOpenMpi();
  if (found.rank !== rank || found.size !== size) {
    throw new Error(
      `${launcher} started this as rank ${rank} of ${size}, and Open MPI found rank ${found.rank} of ` +
        `${found.size}: use the mpirun of the same Open MPI, or srun --mpi=pmix`,
    );
  }
  joined = new NativeRanks(rank, size);
  return joined;
}

function meet({ rank, size }: Launch, meeting: Meeting): { rank: number; size: number } {
  const { host, port, serves, name, address, networkInterface } = meeting;
  try {
    const words = [host, port, serves ? 1 : 0, name, address, networkInterface] as const;
    return native().joinByGloo(...words, rank, size);
  } catch (cause) {
    const [reason] = (cause as Error).message.split("\n");
    throw new Error(
      `rank ${rank} of ${size} cannot meet the others at ${host}:${port} by Gloo: ${reason}; start all ` +
        `${size} within five minutes, or start them by mpirun -n ${size}`,
      { cause },
    );
  }
}

function joinOpenMpi(): { rank: number; size: number } {
  const { SQA_MPI } = process.env;
  const names = SQA_MPI === undefined ? libraries : [SQA_MPI];
  for (const name of names.slice(0, -1)) {
    try {
      return native().joinByMpi(name);
    } catch {
      // The last one tells.
    }
  }
  try {
    return native().joinByMpi(names.at(-1)!);
  } catch (cause) {
    throw new Error(
      `ranks are joined by Open MPI, which cannot be used here: ${(cause as Error).message}. Install it ` +
        "(on Debian: apt-get install openmpi-bin), or set SQA_MPI to its libmpi",
      { cause },
    );
  }
}
