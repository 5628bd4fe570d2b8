// The steps of setup in their order. While nothing has changed only stamps are read, which takes some
// milliseconds.
import { existsSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildAddon } from "./addon.mjs";
import { buildDashboard, dashboardFresh } from "./build-dashboard.mjs";
import { compileTypeScript, distFresh } from "./compile-typescript.mjs";
import { chooseLibtorch, currentBuildFresh, makeCurrent } from "./current-build.mjs";
import { withLock } from "./lock.mjs";
import { nodeModulesFresh, setUpNodeModules } from "./node-modules.mjs";
import { SetupError, say } from "./progress.mjs";
import { setUpTools } from "./system-tools.mjs";

/**
 * Tells whether this is no checkout but an installed package, or a copy that `npm run pack:gpu` made: its packages
 * and dist/ are complete, and only the addon is built. @param {string} root
 */
export const isPacked = (root) => !existsSync(join(root, "tsconfig.json"));

/** The checkout's own folder. */
export const checkout = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Installs and builds what is missing or out of date; throws SetupError, one line, where it cannot.
 *
 * `SQA_ADDON` in the environment names an addon that is already built: then none is built here.
 * @param {{ root?: string, env?: Record<string, string | undefined>, libtorch?: string | undefined }}
 *   [options]
 */
export function setUp({ root = checkout, env = process.env, libtorch } = {}) {
  checkNode();
  const needsAddon = !env.SQA_ADDON;
  const packed = isPacked(root);
  const isFresh = () =>
    libtorch === undefined &&
    (packed || nodeModulesFresh(root)) &&
    (!needsAddon || currentBuildFresh(root, env)) &&
    (packed || (distFresh(root) && dashboardFresh(root)));
  if (isFresh()) return;
  withLock(join(root, "build", "setup.lock"), () => {
    if (isFresh()) return;
    const begun = Date.now();
    if (!packed) setUpNodeModules(root);
    if (needsAddon && (libtorch !== undefined || !currentBuildFresh(root, env))) {
      setUpTools();
      makeCurrent(root, chooseLibtorch(libtorch, root, env));
    }
    if (!packed) {
      compileTypeScript(root);
      buildDashboard(root);
    }
    say(`setup: ready in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  });
}

/**
 * Builds an addon into a folder of its own, for SQA_ADDON; build/current.json stays as it is. Returns the
 * addon's path.
 * @param {{ root?: string, env?: Record<string, string | undefined>, libtorch?: string | undefined, folder:
 *   string, load?: boolean }} options
 */
export function buildOnly({ root = checkout, env = process.env, libtorch, folder, load = true }) {
  checkNode();
  return withLock(join(root, "build", "setup.lock"), () => {
    if (!isPacked(root)) setUpNodeModules(root);
    setUpTools();
    return buildAddon(root, chooseLibtorch(libtorch, root, env), resolve(root, folder), { load });
  });
}

/** Compiles dist/ anew, without what sources of old have left there: for `npm pack`. */
export function buildDist({ root = checkout } = {}) {
  checkNode();
  withLock(join(root, "build", "setup.lock"), () => {
    setUpNodeModules(root);
    rmSync(join(root, "dist"), { recursive: true, force: true });
    compileTypeScript(root);
  });
}

function checkNode() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) throw new SetupError(`setup: this is Node ${process.versions.node}; 20 or newer is needed`);
}
