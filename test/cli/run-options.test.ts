import { availableParallelism } from "node:os";
import { expect, it } from "vitest";
import { shareMachine } from "../../src/cli/run-options.js";

const processors = availableParallelism();

it("gives each processor a run by default, and a run no more than its share of threads", () => {
  expect(shareMachine(4 * processors, {})).toEqual({
    jobs: processors,
    threads: processors > 1 ? 1 : undefined,
  });
  expect(shareMachine(8, { jobs: 2 })).toEqual({ jobs: 2, threads: Math.max(1, Math.floor(processors / 2)) });
  expect(shareMachine(1000, { jobs: 256 }).threads).toBe(Math.max(1, Math.floor(processors / 256)));
});

it("does one run at a time, with libtorch's own threads, where there is one, or a device", () => {
  expect(shareMachine(1, { jobs: 4 })).toEqual({ jobs: 1, threads: undefined });
  expect(shareMachine(8, { device: "cuda" })).toEqual({ jobs: 1, threads: undefined });
});

it("does as it is told", () => {
  expect(shareMachine(8, { threads: 3 })).toEqual({ jobs: 1, threads: 3 });
  expect(shareMachine(8, { jobs: 3, threads: 5, device: "cuda:1" })).toEqual({ jobs: 3, threads: 5 });
});
