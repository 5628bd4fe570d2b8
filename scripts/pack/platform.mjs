// Names and manifests of the packages for a platform, and turning a folder into a tarball.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runOrFail } from "../setup/command.mjs";
import { SetupError } from "../setup/progress.mjs";
import { readJson } from "../setup/stamp.mjs";

/** Folders of the checkout, of the tarballs, and of files on their way into one. */
/** @typedef {{ root: string, out: string, work: string }} Places */

export const platform = `${process.platform}-${process.arch}`;
export const addonPackage = `@sqa/${platform}`;
export const libtorchPackage = `@sqa/libtorch-${platform}`;

/** Files of libtorch that the addon needs at run time; Apple's are untested. */
export const libraries =
  process.platform === "darwin"
    ? ["libtorch_cpu.dylib", "libtorch.dylib", "libc10.dylib", "libomp.dylib"]
    : ["libtorch_cpu.so", "libtorch.so", "libc10.so", "libgomp.so.1"];

/** The checkout's version. @param {string} root @returns {string} */
export const versionOf = (root) => readJson(join(root, "package.json")).version;

/**
 * Writes the package.json of a package for this platform. npm installs it nowhere else.
 * @param {string} folder @param {object} fields
 */
export function writeManifest(folder, fields) {
  const libc = process.platform === "linux" ? { libc: ["glibc"] } : {};
  const manifest = { ...fields, os: [process.platform], cpu: [process.arch], ...libc, preferUnplugged: true };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * Packs a folder and returns the tarball's path. @param {Places} places @param {string} folder
 */
export function tarballOf({ out }, folder) {
  // Scripts of the folder would run in it, and it has none of their tools.
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", out, folder];
  const [packed] = JSON.parse(runOrFail("pack: npm pack failed; its last lines stand above", "npm", args));
  const { filename } = packed ?? {};
  if (typeof filename !== "string") throw new SetupError("pack: npm pack did not tell what it wrote");
  // npm before version 9 tells the scope's slash here.
  return join(out, filename.replace(/^@/, "").replace("/", "-"));
}
