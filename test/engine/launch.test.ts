import { describe, expect, test } from "vitest";
import { alone, joinRanks, launchOf, rankDevice } from "../../src/engine/index.js";
import { meetingOf } from "../../src/engine/ranks/meeting.js";

const mpirun = { OMPI_COMM_WORLD_RANK: "1", OMPI_COMM_WORLD_SIZE: "4", OMPI_COMM_WORLD_LOCAL_SIZE: "2" };
const local = { OMPI_COMM_WORLD_LOCAL_RANK: "1" };

describe("the place of a process", () => {
  test("is what its launcher says", () => {
    expect(launchOf({})).toBeUndefined();
    const sizes = { rank: 1, size: 4, localSize: 2 };
    expect(launchOf(mpirun)).toEqual({ launcher: "mpirun", ...sizes, localRank: undefined });
    expect(launchOf({ ...mpirun, ...local })).toEqual({ launcher: "mpirun", ...sizes, localRank: 1 });
    const slurm = { SLURM_PROCID: "3", SLURM_NTASKS: "4", SLURM_STEP_NUM_TASKS: "4" };
    expect(launchOf(slurm)).toMatchObject({ launcher: "srun", rank: 3, size: 4 });
    const torchrun = { RANK: "0", WORLD_SIZE: "2", LOCAL_WORLD_SIZE: "2", LOCAL_RANK: "0" };
    const alike = { rank: 0, size: 2, localSize: 2, localRank: 0 };
    expect(launchOf(torchrun)).toEqual({ launcher: "torchrun", ...alike });
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

describe("the meeting of ranks", () => {
  const launch = { launcher: "torchrun", rank: 0, size: 2, localSize: 2, localRank: 0 };
  const place = { MASTER_ADDR: "host", MASTER_PORT: "29500" };

  test("is where torchrun says, and served by it or by the first rank", () => {
    const alike = { host: "host", port: 29500, name: "sqa-0", networkInterface: "" };
    expect(meetingOf(launch, place)).toEqual({ ...alike, serves: true, address: "127.0.0.1" });
    expect(meetingOf({ ...launch, rank: 1, localSize: 1 }, place)).toEqual({
      ...alike,
      serves: false,
      address: "",
    });
    const agent = { TORCHELASTIC_USE_AGENT_STORE: "True", TORCHELASTIC_RESTART_COUNT: "3" };
    const found = meetingOf(launch, { ...place, ...agent, GLOO_SOCKET_IFNAME: "eth1" });
    expect(found).toMatchObject({ serves: false, name: "sqa-3", networkInterface: "eth1" });
  });

  test.each([{}, { MASTER_ADDR: "host" }, { ...place, MASTER_PORT: "0" }, { ...place, MASTER_PORT: "x" }])(
    "is refused where it is not told: %j",
    (environment) => {
      expect(() => meetingOf(launch, environment)).toThrow(/RANK=0 WORLD_SIZE=2 MASTER_ADDR=.*--standalone/);
    },
  );
});

describe("the device of a rank", () => {
  const launch = { launcher: "torchrun", rank: 5, size: 8, localSize: 4, localRank: 1 };

  test("is that of its place on the machine, or the only one that it sees", () => {
    expect(rankDevice("cpu", launch, 4)).toBe("cpu");
    expect(rankDevice("cuda", launch, 4)).toBe("cuda:1");
    expect(rankDevice("cuda", { ...launch, localRank: undefined }, 1)).toBe("cuda");
  });

  test.each([
    ["cuda:1", launch, 4, /each of 8 ranks takes one of its own; give device cuda/],
    ["cuda", { ...launch, localRank: undefined }, 4, /does not say which/],
    ["cuda", { ...launch, localRank: 3 }, 2, /4 ranks on this machine need a device each, and it has 2/],
  ] as const)("is refused where it has none of its own: %s", (device, place, devices, message) => {
    expect(() => rankDevice(device, place, devices)).toThrow(message);
  });
});

describe("ranks", () => {
  test("are this process alone where nothing started others", () => {
    expect(joinRanks(undefined)).toBe(alone);
    expect(joinRanks({ launcher: "mpirun", rank: 0, size: 1, localSize: 1, localRank: 0 })).toBe(alone);
  });

  test("are refused where a launcher has no Open MPI", () => {
    const launch = { launcher: "PMI", rank: 0, size: 2, localSize: 2, localRank: 0 };
    expect(() => joinRanks(launch)).toThrow(
      /PMI started this as rank 0 of 2.*mpirun -n 2 .*srun --mpi=pmix.*--standalone/,
    );
  });

  test("are refused with the way on where Open MPI is not there", () => {
    const before = process.env.SQA_MPI;
    process.env.SQA_MPI = "libmpi-that-is-not-there.so";
    try {
      const launch = { launcher: "mpirun", rank: 0, size: 2, localSize: 2, localRank: 0 };
      expect(() => joinRanks(launch)).toThrow(
        /there is no libmpi-that-is-not-there\.so.*openmpi-bin.*SQA_MPI/,
      );
    } finally {
      if (before === undefined) delete process.env.SQA_MPI;
      else process.env.SQA_MPI = before;
    }
  });
});
