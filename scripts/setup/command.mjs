// Running other programs with their output kept back, to be shown only when they fail.
import { spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { workFile } from "./lock.mjs";
import { SetupError, say } from "./progress.mjs";

/** The file that `name` runs, or undefined where PATH has none. @param {string} name */
export function programOnPath(name, path = process.env.PATH ?? "") {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

const supervisor = fileURLToPath(new URL("supervise.mjs", import.meta.url));

/** @typedef {{ cwd?: string, env?: Record<string, string>, supervised?: boolean }} RunOptions */

/**
 * Runs a program to its end and returns whether it succeeded and what it wrote. A supervised one ends when
 * setup is killed.
 * @param {string} program @param {string[]} args @param {RunOptions} [options]
 */
export function run(program, args, { cwd, env, supervised = false } = {}) {
  const command = [program, ...args];
  if (supervised) command.unshift(process.execPath, supervisor, String(process.pid), workFile());
  const result = spawnSync(/** @type {string} */ (command[0]), command.slice(1), {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  const failure = result.error ? `${program}: ${result.error.message}` : "";
  return {
    ok: result.status === 0,
    stdout: result.stdout ?? "",
    output: `${result.stdout}${result.stderr}${failure}`,
  };
}

/**
 * Runs a program that has to succeed; where it fails, shows the last lines it wrote and throws `message`.
 * @param {string} message @param {string} program @param {string[]} args
 * @param {RunOptions & { lines?: number, from?: "start" | "end" }} [options]
 */
export function runOrFail(message, program, args, { lines = 15, from = "end", ...options } = {}) {
  const result = run(program, args, options);
  if (result.ok) return result.stdout;
  for (const line of excerpt(result.output, lines, from)) say(`  | ${line}`);
  throw new SetupError(message);
}

/**
 * The first or last `count` lines that are not blank. @param {string} text @param {number} count @param
 * {"start" | "end"} from
 */
export function excerpt(text, count, from = "end") {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return from === "start" ? lines.slice(0, count) : lines.slice(-count);
}
