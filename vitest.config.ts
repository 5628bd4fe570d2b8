import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Loading libtorch costs most of a second, so test files share a few worker processes.
export default defineConfig({
  // Examples in a test mean the source.
  resolve: {
    alias: [
      { find: /^sqa$/, replacement: source("src/index.ts") },
      { find: /^sqa\/(.+)$/, replacement: source("src/$1/index.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/left-behind.ts"],
    pool: "forks",
    isolate: false,
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two files at a time on few cores: one thread each, or they wait for each other.
    env: { OMP_NUM_THREADS: "1" },
    reporters: ["default", "./scripts/summary-reporter.mjs"],
    coverage: {
      provider: "v8",
      include: ["src/**"],
      enabled: process.env.CI !== undefined,
      reporter: ["text-summary"],
    },
  },
});
