/** Launcher's word on the processes that it started. */
export interface Launch {
  readonly launcher: string;
  readonly rank: number;
  readonly size: number;
  /** Processes of them on this machine; undefined where the launcher does not say. */
  readonly localSize: number | undefined;
  /** Place among those on this machine, from 0; undefined where the launcher does not say. */
  readonly localRank: number | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables by which a launcher tells a process its place. */
interface Contract {
  readonly launcher: string;
  readonly rank: string;
  readonly size: string;
  readonly localSize: string;
  readonly localRank: string;
}

/**
 * Launchers, the innermost first where one has started another. Slurm sets `SLURM_PROCID` and `SLURM_NTASKS`
 * for a batch script as well, which runs once: tasks of srun alone have the number of their step's tasks.
 */
const contracts: readonly Contract[] = [
  {
    launcher: "torchrun",
    rank: "RANK",
    size: "WORLD_SIZE",
    localSize: "LOCAL_WORLD_SIZE",
    localRank: "LOCAL_RANK",
  },
  {
    launcher: "mpirun",
    rank: "OMPI_COMM_WORLD_RANK",
    size: "OMPI_COMM_WORLD_SIZE",
    localSize: "OMPI_COMM_WORLD_LOCAL_SIZE",
    localRank: "OMPI_COMM_WORLD_LOCAL_RANK",
  },
  {
    launcher: "PMI",
    rank: "PMI_RANK",
    size: "PMI_SIZE",
    localSize: "MPI_LOCALNRANKS",
    localRank: "MPI_LOCALRANKID",
  },
  {
    launcher: "srun",
    rank: "SLURM_PROCID",
    size: "SLURM_STEP_NUM_TASKS",
    localSize: "SLURM_STEP_TASKS_PER_NODE",
    localRank: "SLURM_LOCALID",
  },
];

/** Launchers that may have started one another: their words need not agree. */
const nests = (outer: string, inner: string) => outer === "srun" && inner !== "srun";

function launchBy({ launcher, ...names }: Contract, environment: Environment): Launch | undefined {
  const [rank, size] = [environment[names.rank], environment[names.size]];
  if (rank === undefined && size === undefined) return undefined;
  const given = `${names.rank}=${rank ?? ""} ${names.size}=${size ?? ""}`;
  // Slurm's batch scripts, and PMI's lists of processes per node.
  if (size === undefined && launcher === "srun") return undefined;
  const isCount = (text: string | undefined) => text !== undefined && /^\d{1,6}$/.test(text);
  if (!isCount(rank) || !isCount(size) || Number(rank) >= Number(size)) {
    throw new RangeError(
      `${given}: ${launcher} gives both, and a rank in 0 .. size - 1; take them out of the environment, or ` +
        "give --standalone",
    );
  }
  const [localSize, localRank] = [environment[names.localSize], environment[names.localRank]].map((text) =>
    isCount(text) ? Number(text) : undefined,
  );
  return { launcher, rank: Number(rank), size: Number(size), localSize: localSize || undefined, localRank };
}

/**
 * Place of this process among those that mpirun, srun or torchrun started; undefined where none of them did.
 *
 * @throws RangeError for variables that say half of it, or two things at once
 */
export function launchOf(environment: Environment = process.env): Launch | undefined {
  const found = contracts.flatMap((contract) => launchBy(contract, environment) ?? []);
  const [first] = found;
  const other = found.find(
    ({ launcher, rank, size }) =>
      (rank !== first!.rank || size !== first!.size) && !nests(launcher, first!.launcher),
  );
  if (other === undefined) return first;
  const place = ({ launcher, rank, size }: Launch) => `${launcher} rank ${rank} of ${size}`;
  throw new RangeError(
    `the environment says two things, ${place(first!)} and ${place(other)}: take the variables of one of ` +
      "them out of it, or give --standalone",
  );
}
