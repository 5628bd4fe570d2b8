// Where a libtorch is looked for, in this order: SQA_LIBTORCH, LIBTORCH, python3's torch, the cache of an
// earlier setup.
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { run } from "./command.mjs";
import { accepted, inspectLibtorch } from "./libtorch-folder.mjs";
import { SetupError, say } from "./progress.mjs";

/** @typedef {import("./libtorch-folder.mjs").Libtorch & { source: string }} FoundLibtorch */

/** Written last into a cached copy: a folder without it is what an interrupted installation left. */
export const completeMark = "sqa-complete.json";

/**
 * The folders that hold private copies: the user's, shared by all checkouts, then this checkout's own.
 * @param {Record<string, string | undefined>} env @param {string} root
 */
export function cacheFolders(env, root) {
  // The XDG specification says that a relative path is to be ignored.
  const base =
    env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME) ? env.XDG_CACHE_HOME : join(homedir(), ".cache");
  return [join(base, "sqa"), join(root, "build", "cache")];
}

/**
 * The libtorch that the environment names: `SQA_LIBTORCH`, which the engine reads as well, before `LIBTORCH`,
 * which only says what is built. @param {Record<string, string | undefined>} env
 */
export function environmentLibtorch(env) {
  const name = ["SQA_LIBTORCH", "LIBTORCH"].find((name) => env[name]);
  return name === undefined ? undefined : { name, folder: /** @type {string} */ (env[name]) };
}

/**
 * A folder that the user named, which has to be right. @param {string} folder @param {string} name @param
 * {string} source @returns {FoundLibtorch}
 */
export function namedLibtorch(folder, name, source) {
  const found = inspectLibtorch(folder);
  if ("problem" in found)
    throw new SetupError(`setup: ${name}=${folder} is no libtorch: ${found.problem}. Accepted: ${accepted}.`);
  say(`setup: libtorch: ${name} gives ${found.version} in ${found.path}`);
  return { ...found, source };
}

/** The folder of python3's torch package, found without importing it; undefined where there is none. */
export function pythonTorchFolder() {
  const code =
    "import importlib.util as u; s = u.find_spec('torch'); print((list(s.submodule_search_locations or []) " +
    "or [''])[0] if s else '')";
  // From /, so that a folder called torch in the working folder is not taken for the package.
  const { ok, stdout } = run("python3", ["-c", code], { cwd: "/" });
  return (ok && stdout.trim()) || undefined;
}

/**
 * The newest finished copy in a cache folder. @param {string} folder @returns
 * {import("./libtorch-folder.mjs").Libtorch | undefined}
 */
export function cachedLibtorch(folder) {
  if (!existsSync(folder)) return undefined;
  const byVersion = new Intl.Collator("en", { numeric: true });
  for (const name of readdirSync(folder).sort(byVersion.compare).reverse()) {
    if (!name.startsWith("torch-") || !existsSync(join(folder, name, completeMark))) continue;
    const found = inspectLibtorch(join(folder, name));
    if (!("problem" in found)) return found;
    say(`setup: libtorch: passed over: ${found.problem}`);
  }
  return undefined;
}

/**
 * Looks in each place in turn and prints each step; undefined where libtorch must be installed.
 * @param {{ env: Record<string, string | undefined>, caches: string[], pythonTorch?: () => string | undefined
 *   }} places
 * @returns {FoundLibtorch | undefined}
 */
export function searchLibtorch({ env, caches, pythonTorch = pythonTorchFolder }) {
  const named = environmentLibtorch(env);
  if (named !== undefined) return namedLibtorch(named.folder, named.name, named.name);
  say("setup: libtorch: LIBTORCH is not set");

  const folder = pythonTorch();
  const ofPython = folder === undefined ? undefined : inspectLibtorch(folder);
  if (ofPython === undefined) say("setup: libtorch: python3 has no torch package");
  else if ("problem" in ofPython) say(`setup: libtorch: python3's torch is passed over: ${ofPython.problem}`);
  else {
    say(`setup: libtorch: python3 has torch ${ofPython.version} in ${dirname(ofPython.path)}`);
    return { ...ofPython, source: "python3" };
  }

  for (const cache of caches) {
    const found = cachedLibtorch(cache);
    if (found !== undefined) {
      say(`setup: libtorch: an earlier setup left ${found.version} in ${cache}`);
      return { ...found, source: "cache" };
    }
    say(`setup: libtorch: no copy in ${cache}`);
  }
  return undefined;
}
