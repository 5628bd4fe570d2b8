import { afterAll, expect, vi } from "vitest";

// Test files share their processes, so what one leaves behind would change the next, in an order that chance
// decides. This runs before each file: stubs end with it, and a file that changes the environment fails.
// Libraries set two variables when they are loaded, which is once a process.
const state = () => {
  const { OMP_WAIT_POLICY: _, VIPSHOME: __, ...environment } = process.env;
  return { folder: process.cwd(), environment };
};
const before = state();

afterAll(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.useRealTimers();
  expect(state()).toEqual(before);
});
