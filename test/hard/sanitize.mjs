// The engine's tests on an addon that is compiled with AddressSanitizer and UndefinedBehaviorSanitizer:
// `npm run test:sanitizers`. Where gcc has none, it says so in one line and counts a skipped test.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "build", "sanitized");

/** @param {string} why */
function skip(why) {
  console.log(`sanitizers: skipped, ${why}`);
  console.log("0 passed, 0 failed, 1 skipped");
  process.exit(0);
}

/** Path of a library of gcc's; undefined where it has none. @param {string} name */
function library(name) {
  const { stdout, status } = spawnSync("g++", [`-print-file-name=${name}`], { encoding: "utf8" });
  const path = (stdout ?? "").trim();
  return status === 0 && isAbsolute(path) && existsSync(path) ? path : undefined;
}

/** @param {string} command @param {readonly string[]} words */
function run(command, words, env = process.env) {
  return spawnSync(command, words, { cwd: root, env, stdio: "inherit" }).status ?? 1;
}

const current = join(root, "build", "current.json");
if (!existsSync(current)) skip("there is no addon yet: npm run setup");
const asan = library("libasan.so");
const ubsan = library("libubsan.so");
if (asan === undefined || ubsan === undefined) skip("g++ has no libasan and libubsan");
const { libtorch } = JSON.parse(readFileSync(current, "utf8"));

mkdirSync(folder, { recursive: true });
const configure = [
  ...["-S", join(root, "native"), "-B", folder, "-DCMAKE_BUILD_TYPE=Release", "-DSQA_SANITIZE=ON"],
  `-DTORCH_PREFIX=${libtorch.path}`,
  `-DNODE_API_INCLUDE=${join(root, "node_modules", "node-api-headers", "include")}`,
];
const built =
  run("cmake", configure) === 0 &&
  run("cmake", ["--build", folder, "--parallel", String(availableParallelism())]) === 0;
if (!built) process.exit(1);

// libtorch, V8 and the tests' own programs are not compiled so, and keep memory to the end of the process.
const options = "detect_leaks=0:detect_odr_violation=0:abort_on_error=0:exitcode=99";
const env = {
  ...process.env,
  SQA_ADDON: join(folder, "sqa.node"),
  // Both first: whatever is loaded later then has its memory from them.
  LD_PRELOAD: `${asan}:${ubsan}`,
  ASAN_OPTIONS: `${options}:allocator_may_return_null=1:handle_segv=0`,
  UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1",
  SQA_SANITIZED: "1",
};
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
// Their bounds on memory are those of a process without sanitizers, which keep freed memory for a while.
const bounds = ["--exclude", "test/engine/memory.test.ts"];
const tests = process.argv.length > 2 ? process.argv.slice(2) : ["test/engine", ...bounds];
process.exitCode = run(process.execPath, [vitest, "run", "--coverage.enabled=false", ...tests], env);
