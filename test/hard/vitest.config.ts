import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Hard tests are no part of `npm test`: `npm run test:hard`, with `-- --long` the form by hand.
export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: {
    include: ["test/hard/*.hard.ts"],
    pool: "forks",
    isolate: false,
    maxWorkers: 2,
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
    env: { OMP_NUM_THREADS: "1" },
    reporters: ["default", "./scripts/summary-reporter.mjs"],
  },
});
