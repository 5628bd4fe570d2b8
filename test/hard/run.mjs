// `npm run test:hard`: changed files, random calls, kills and replayed reports, for some minutes;
// `npm run test:hard -- --long` tries 10,000 files and 60 kills. Other words choose files, as vitest's do.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const words = process.argv.slice(2);
const env = { ...process.env, SQA_HARD: words.includes("--long") ? "long" : "short" };
const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
const files = words.filter((word) => word !== "--long");
const command = [vitest, "run", "--config", "test/hard/vitest.config.ts", ...files];
process.exitCode = spawnSync(process.execPath, command, { cwd: root, env, stdio: "inherit" }).status ?? 1;
