import { describe, expect, test } from "vitest";
import { alone, joinRanks, launchOf } from "../../src/engine/index.js";

const mpirun = { OMPI_COMM_WORLD_RANK: "1", OMPI_COMM_WORLD_SIZE: "4", OMPI_COMM_WORLD_LOCAL_SIZE: "2" };

describe("the place of a process", () => {
  test("is what its launcher says", () => {
    expect(launchOf({})).toBeUndefined();
    expect(launchOf(mpirun)).toEqual({ launcher: "mpirun", rank: 1, size: 4, localSize: 2 });
    const slurm = { SLURM_PROCID: "3", SLURM_NTASKS: "4", SLURM_STEP_NUM_TASKS: "4" };
    expect(launchOf(slurm)).toEqual({ launcher: "srun", rank: 3, size: 4, localSize: undefined });
    const torchrun = { RANK: "0", WORLD_SIZE: "2", LOCAL_WORLD_SIZE: "2" };
    expect(launchOf(torchrun)).toEqual({ launcher: "torchrun", rank: 0, size: 2, localSize: 2 });
  });

  test("is none in a batch script of Slurm's, which runs once for all tasks", () => {
    expect(launchOf({ SLURM_PROCID: "0", SLURM_NTASKS: "4" })).toBeUndefined();
  });

  test("is that of the inner launcher where srun has started another", () => {
    const slurm = { SLURM_PROCID: "0", SLURM_STEP_NUM_TASKS: "1" };
    expect(launchOf({ ...slurm, ...mpirun })).toMatchObject({ launcher: "mpirun", rank: 1, size: 4 });
  });

  test.each([
    [{ RANK: "0", WORLD_SIZE: "2", ...mpirun }, /two things, torchrun rank 0 of 2 and mpirun rank 1 of 4/],
    [{ RANK: "0" }, /RANK=0 WORLD_SIZE=: torchrun gives both.*--standalone/],
    [{ WORLD_SIZE: "2" }, /RANK= WORLD_SIZE=2/],
    [{ RANK: "2", WORLD_SIZE: "2" }, /a rank in 0 \.\. size - 1/],
    [{ RANK: "x", WORLD_SIZE: "2" }, /RANK=x/],
    [{ RANK: "-1", WORLD_SIZE: "2" }, /RANK=-1/],
  ])("is refused where it cannot be: %j", (environment, message) => {
    expect(() => launchOf(environment)).toThrow(RangeError);
    expect(() => launchOf(environment)).toThrow(message);
  });
});

describe("ranks", () => {
  test("are this process alone where nothing started others", () => {
    expect(joinRanks(undefined)).toBe(alone);
    expect(joinRanks({ launcher: "mpirun", rank: 0, size: 1, localSize: 1 })).toBe(alone);
  });

  test("are refused where a launcher has no Open MPI", () => {
    const launch = { launcher: "torchrun", rank: 0, size: 2, localSize: 2 };
    expect(() => joinRanks(launch)).toThrow(
      /torchrun started this as rank 0 of 2.*mpirun -n 2.*--standalone/,
    );
  });

  test("are refused with the way on where Open MPI is not there", () => {
    const before = process.env.SQA_MPI;
    process.env.SQA_MPI = "libmpi-that-is-not-there.so";
    try {
      const launch = { launcher: "mpirun", rank: 0, size: 2, localSize: 2 };
      expect(() => joinRanks(launch)).toThrow(
        /there is no libmpi-that-is-not-there\.so.*openmpi-bin.*SQA_MPI/,
      );
    } finally {
      if (before === undefined) delete process.env.SQA_MPI;
      else process.env.SQA_MPI = before;
    }
  });
});
