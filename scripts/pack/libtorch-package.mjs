// The package `@sqa/libtorch-PLATFORM`: libtorch's CPU libraries as the wheel has them, and their licenses.
import { copyFileSync, cpSync, existsSync, linkSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { timed } from "../setup/progress.mjs";
import { isFresh, writeJson } from "../setup/stamp.mjs";
import { licenseFolder } from "./packaged-libtorch.mjs";
import { libraries, libtorchPackage, platform, tarballOf, writeManifest } from "./platform.mjs";
import { checkSymbols } from "./symbols.mjs";

/** @typedef {import("../setup/libtorch-folder.mjs").Libtorch} Libtorch */

/** A link where both lie on one disk: the largest file has 434 MB. @param {string} from @param {string} to */
function place(from, to) {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

/**
 * Packs libtorch and returns the tarball's path; one of the same libraries is kept, since packing takes a
 * minute. @param {import("./platform.mjs").Places} places @param {Libtorch} libtorch
 */
export function packLibtorch(places, libtorch) {
  const files = libraries.map((name) => join(libtorch.path, "lib", name));
  const stamp = {
    version: libtorch.version,
    files: files.map((file) => [file, statSync(file).size, statSync(file).mtimeMs]),
  };
  const version = /** @type {string} */ (libtorch.version.split("+")[0]);
  const tarball = join(places.out, `${libtorchPackage.slice(1).replace("/", "-")}-${version}.tgz`);
  if (existsSync(tarball) && isFresh(`${tarball}.stamp.json`, stamp)) return tarball;
  for (const file of files) checkSymbols(file, libraries);
  const folder = join(places.work, `libtorch-${platform}`);
  mkdirSync(join(folder, "lib"), { recursive: true });
  for (const [i, file] of files.entries())
    place(file, join(folder, "lib", /** @type {string} */ (libraries[i])));
  cpSync(licenseFolder(libtorch), join(folder, "licenses"), { recursive: true });
  copyFileSync(join(folder, "licenses", "LICENSE"), join(folder, "LICENSE"));
  writeFileSync(
    join(folder, "README.md"),
    `# ${libtorchPackage}\n\nThe CPU libraries of libtorch ${libtorch.version} for ${platform}, unchanged. ` +
      "Unpacked they take 435 MB.\nThe licenses of PyTorch and of what it contains are in `licenses/`.\n",
  );
  writeManifest(folder, {
    name: libtorchPackage,
    version,
    description: `CPU libraries of libtorch for ${platform}`,
    license: "SEE LICENSE IN LICENSE",
    files: ["lib", "licenses"],
  });
  const packed = timed(`pack: ${libtorchPackage} ${version}`, () => tarballOf(places, folder));
  writeJson(`${packed}.stamp.json`, stamp);
  return packed;
}
