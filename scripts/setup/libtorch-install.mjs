// Installing libtorch where none was found: a private copy by pip, or else Debian's package.
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./command.mjs";
import { inspectLibtorch } from "./libtorch-folder.mjs";
import { completeMark } from "./libtorch-search.mjs";
import { pinnedVersion, pipInstall } from "./pip-torch.mjs";
import { SetupError, say, timed } from "./progress.mjs";
import { writeJson } from "./stamp.mjs";
import { canInstallPackages, installPackages } from "./system-tools.mjs";
import { isAlive } from "./work.mjs";

/** @typedef {import("./libtorch-search.mjs").FoundLibtorch} FoundLibtorch */

/** Parts of the torch package that the addon needs, to build and to run. */
const keptOfTorch = ["lib", "include", "share", "licenses", "version.py"];

/**
 * Installs the pinned version by pip, or where that fails Debian's libtorch-dev.
 * @param {string[]} caches @param {"any" | "pip" | "debian"} [means] @returns {FoundLibtorch}
 */
export function installLibtorch(caches, means = "any") {
  if (means === "debian") return debianLibtorch();
  const installed = installByPip(caches);
  if (installed !== undefined) return installed;
  if (means === "pip")
    throw new SetupError("setup: libtorch: pip could not install it; the reason stands above");
  const debian = inspectLibtorch("/usr");
  if ("problem" in debian && !canInstallPackages()) {
    throw new SetupError(
      `setup: no libtorch. Run \`python3 -m pip install torch==${pinnedVersion}\`, or as root \`apt-get ` +
        `install libtorch-dev\`, or set LIBTORCH to a folder that has it`,
    );
  }
  return debianLibtorch();
}

/** Debian's libtorch-dev, installed if it is missing. @returns {FoundLibtorch} */
function debianLibtorch() {
  if ("problem" in inspectLibtorch("/usr"))
    installPackages(["libtorch-dev"], "libtorch (Debian's libtorch-dev)");
  const found = inspectLibtorch("/usr");
  if ("problem" in found)
    throw new SetupError(`setup: libtorch: libtorch-dev is installed, but ${found.problem}`);
  say(`setup: libtorch: Debian's libtorch-dev gives ${found.version} in ${found.path}`);
  return { ...found, source: "debian" };
}

/**
 * A private copy by pip in the first cache folder that can be written to. @param {string[]} caches @returns
 * {FoundLibtorch | undefined}
 */
function installByPip(caches) {
  if (!run("python3", ["-m", "pip", "--version"], { cwd: "/" }).ok) {
    say("setup: libtorch: python3 has no pip to install it with");
    return undefined;
  }
  const cache = caches.find(isWritable);
  if (cache === undefined) {
    say(`setup: libtorch: cannot write to ${caches.join(" or ")}`);
    return undefined;
  }
  removeInterrupted(cache);
  const temporary = mkdtempSync(join(cache, `.installing-${process.pid}-`));
  try {
    const line = `setup: libtorch: torch ${pinnedVersion} by pip into ${cache} (200 MB to fetch, or more)`;
    if (!timed(line, () => pipInstall(temporary))) return undefined;
    return { ...moveIntoPlace(temporary, cache), source: "pip" };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Drops what is not needed, marks the copy complete and renames it into place. @param {string} temporary
 * @param {string} cache
 */
export function moveIntoPlace(temporary, cache) {
  const found = inspectLibtorch(join(temporary, "torch"));
  if ("problem" in found)
    throw new SetupError(`setup: libtorch: pip installed something else: ${found.problem}`);
  for (const name of readdirSync(temporary)) {
    const licenses = join(temporary, name, "licenses");
    // A package of libtorch's libraries has to bring them.
    if (/^torch-.*\.dist-info$/.test(name) && existsSync(licenses))
      renameSync(licenses, join(temporary, "torch", "licenses"));
    if (name !== "torch" && name !== "nvidia")
      rmSync(join(temporary, name), { recursive: true, force: true });
  }
  for (const name of readdirSync(join(temporary, "torch"))) {
    if (!keptOfTorch.includes(name)) rmSync(join(temporary, "torch", name), { recursive: true, force: true });
  }
  writeJson(join(temporary, completeMark), { version: found.version, completedAt: new Date().toISOString() });
  const place = join(cache, `torch-${found.version}`);
  // A folder without its mark was never complete, or was broken by hand.
  if (existsSync(place) && !existsSync(join(place, completeMark)))
    rmSync(place, { recursive: true, force: true });
  try {
    renameSync(temporary, place);
  } catch (error) {
    // Another setup came first; its copy is as good.
    if (!existsSync(join(place, completeMark))) throw error;
  }
  const placed = inspectLibtorch(place);
  if ("problem" in placed)
    throw new SetupError(`setup: libtorch: ${placed.problem}; delete ${place} and try again`);
  return placed;
}

/** @param {string} folder */
function isWritable(folder) {
  try {
    makeFolder(folder);
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * As mkdir -p; Node's own never returns where the system refuses with ENOENT, as below /proc. @param {string}
 * folder
 */
function makeFolder(folder) {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
  }
}

/**
 * Deletes what dead installations have left; after an hour, as a living process may belong to another
 * container. @param {string} cache
 */
export function removeInterrupted(cache) {
  for (const name of readdirSync(cache)) {
    if (!name.startsWith(".installing-")) continue;
    const path = join(cache, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > 3_600_000 && !isAlive(Number(name.split("-")[1])))
      rmSync(path, { recursive: true, force: true });
  }
}
