// Telling whether a folder holds a libtorch to build against, and which version.
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";

/**
 * A libtorch: `path` is what CMake gets as TORCH_PREFIX.
 * @typedef {{ path: string, version: string }} Libtorch
 */

/** The oldest version that the addon compiles against: Debian 12's. */
export const oldestVersion = [1, 13];

const libraryFolders = ["lib", "lib64", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu"];
const library = process.platform === "darwin" ? "libtorch.dylib" : "libtorch.so";
const headerFolder = "include/torch/csrc/api/include/torch";

/** Files that a folder must hold, in words, for messages. */
export const accepted =
  "a folder with lib/libtorch.so and include/torch (the torch package of Python or an unpacked libtorch), " +
  "a folder with such a " +
  "torch folder in it, or a system prefix such as /usr with lib/x86_64-linux-gnu/libtorch.so (Debian's " +
  "libtorch-dev)";

/**
 * Looks at a folder, or the `torch` folder in it.
 * @param {string} folder @returns {Libtorch | { problem: string }}
 */
export function inspectLibtorch(folder) {
  if (!existsSync(folder)) return { problem: `${folder} does not exist` };
  const path = [folder, join(folder, "torch")].find(hasLibraryAndHeaders);
  if (path === undefined) {
    const lacks = libraryFolders.some((lib) => existsSync(join(folder, lib, library)))
      ? `${library} but no ${headerFolder} (headers)`
      : `no ${library}`;
    return { problem: `${folder} has ${lacks}` };
  }
  const version = versionOf(path);
  if (version === undefined) return { problem: `${path} does not tell its version` };
  if (isOlder(version))
    return { problem: `${path} is libtorch ${version}; ${oldestVersion.join(".")} or newer is needed` };
  return { path: realpathSync(path), version };
}

/** @param {string} folder */
function hasLibraryAndHeaders(folder) {
  return (
    existsSync(join(folder, headerFolder)) &&
    libraryFolders.some((lib) => existsSync(join(folder, lib, library)))
  );
}

/** The version, with its local part ("2.13.0+cpu") where the folder tells it. @param {string} path */
function versionOf(path) {
  const sources = /** @type {const} */ ([
    ["version.py", /^__version__\s*(?::\s*str\s*)?=\s*['"]([^'"]+)['"]/m],
    ["build-version", /^(\d\S*)/],
    ["include/torch/headeronly/version.h", undefined],
    [`${headerFolder}/version.h`, undefined],
  ]);
  for (const [name, pattern] of sources) {
    const file = join(path, name);
    if (!existsSync(file)) continue;
    const text = readFileSync(file, "utf8");
    const version = pattern ? pattern.exec(text)?.[1] : versionOfHeader(text);
    if (version !== undefined) return version;
  }
  return undefined;
}

/** @param {string} text */
function versionOfHeader(text) {
  const parts = ["MAJOR", "MINOR", "PATCH"].map(
    (part) => new RegExp(`#define TORCH_VERSION_${part} (\\d+)`).exec(text)?.[1],
  );
  return parts.includes(undefined) ? undefined : parts.join(".");
}

/** @param {string} version */
function isOlder(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestVersion;
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}
