// build/current.json: which addon the engine loads, and the libtorch behind it.
import { existsSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";
import { addonFresh, buildAddon, buildId } from "./addon.mjs";
import { inspectLibtorch } from "./libtorch-folder.mjs";
import { installLibtorch } from "./libtorch-install.mjs";
import { cacheFolders, environmentLibtorch, namedLibtorch, searchLibtorch } from "./libtorch-search.mjs";
import { readJson, writeJson } from "./stamp.mjs";

/** @typedef {import("./libtorch-search.mjs").FoundLibtorch} FoundLibtorch */
/** @typedef {Record<string, string | undefined>} Environment */

/** @param {string} root */
export const currentFile = (root) => join(root, "build", "current.json");

/**
 * The libtorch of the last build while it is still there and still what SQA_LIBTORCH or LIBTORCH asks for.
 * @param {string} root @param {Environment} env @returns {FoundLibtorch | undefined}
 */
export function currentLibtorch(root, env) {
  /** @type {FoundLibtorch | undefined} */
  const last = readJson(currentFile(root))?.libtorch;
  if (typeof last?.path !== "string") return undefined;
  const now = inspectLibtorch(last.path);
  if ("problem" in now || now.version !== last.version) return undefined;
  const named = environmentLibtorch(env);
  if (named === undefined) return last.source.endsWith("LIBTORCH") ? undefined : last;
  const isSame = [named.folder, join(named.folder, "torch")].some(
    (folder) => existsSync(folder) && realpathSync(folder) === last.path,
  );
  return isSame && last.source === named.name ? last : undefined;
}

/**
 * Tells whether build/current.json names an addon that is up to date. @param {string} root @param {Environment} env
 */
export function currentBuildFresh(root, env) {
  const libtorch = currentLibtorch(root, env);
  if (libtorch === undefined) return false;
  const folder = join(root, "build", buildId(libtorch));
  return (
    readJson(currentFile(root))?.addon === `${buildId(libtorch)}/sqa.node` &&
    addonFresh(root, libtorch, folder)
  );
}

/**
 * The libtorch that a `--libtorch` asks for: a folder, "pip", "debian", or "search" for the usual search.
 * @param {string | undefined} wish @param {string} root @param {Environment} env @returns {FoundLibtorch}
 */
export function chooseLibtorch(wish, root, env) {
  const caches = cacheFolders(env, root);
  if (wish === "pip" || wish === "debian") return installLibtorch(caches, wish);
  if (wish !== undefined && wish !== "search") return namedLibtorch(wish, "--libtorch", "--libtorch");
  return (
    (wish === undefined ? currentLibtorch(root, env) : undefined) ??
    searchLibtorch({ env, caches }) ??
    installLibtorch(caches)
  );
}

/**
 * Builds the addon that the engine is to load and writes build/current.json. @param {string} root @param
 * {FoundLibtorch} libtorch
 */
export function makeCurrent(root, libtorch) {
  const build = join(root, "build");
  const addon = buildAddon(root, libtorch, join(build, buildId(libtorch)));
  const { version, path, source } = libtorch;
  writeJson(currentFile(root), {
    addon: relative(build, addon),
    libtorch: { version, path, source },
    node: process.versions.node,
    builtAt: new Date().toISOString(),
  });
}
