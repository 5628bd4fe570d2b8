// The libtorch whose libraries go into the npm package: the pinned CPU build, with its licenses.
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run, runOrFail } from "../setup/command.mjs";
import { isCudaLibtorch } from "../setup/cuda.mjs";
import { currentLibtorch } from "../setup/current-build.mjs";
import { inspectLibtorch } from "../setup/libtorch-folder.mjs";
import { installLibtorch } from "../setup/libtorch-install.mjs";
import { cacheFolders, completeMark } from "../setup/libtorch-search.mjs";
import { pinnedVersion } from "../setup/pip-torch.mjs";
import { SetupError, timed } from "../setup/progress.mjs";

/** @typedef {import("../setup/libtorch-folder.mjs").Libtorch} Libtorch */

/** @param {Libtorch} libtorch */
const isPinned = ({ version, path }) => version.split("+")[0] === pinnedVersion && !isCudaLibtorch(path);

/**
 * The pinned libtorch that is there already, else installed by pip. @param {string} root @returns {Libtorch}
 */
export function packagedLibtorch(root) {
  const current = currentLibtorch(root, {});
  if (current !== undefined && isPinned(current)) return current;
  const caches = cacheFolders(process.env, root);
  for (const folder of caches.flatMap((cache) =>
    [`torch-${pinnedVersion}+cpu`, `torch-${pinnedVersion}`].map((name) => join(cache, name)),
  )) {
    if (!existsSync(join(folder, completeMark))) continue;
    const cached = inspectLibtorch(folder);
    if (!("problem" in cached) && isPinned(cached)) return cached;
  }
  const installed = installLibtorch(caches, "pip");
  if (!isPinned(installed))
    throw new SetupError(`pack: pip gave torch ${installed.version}, not the CPU build of ${pinnedVersion}`);
  return installed;
}

/**
 * The folder of a libtorch's licenses: its own, that of the Python package around it, or fetched from the
 * same wheel into a libtorch that an older setup has left without.
 * @param {Libtorch} libtorch
 */
export function licenseFolder({ version, path }) {
  const own = join(path, "licenses");
  if (existsSync(own)) return own;
  const beside = readdirSync(dirname(path)).find((name) => /^torch-.*\.dist-info$/.test(name));
  if (beside !== undefined && existsSync(join(dirname(path), beside, "licenses")))
    return join(dirname(path), beside, "licenses");
  timed(`pack: the licenses of torch ${version}, from its wheel by pip`, () => fetchLicenses(version, path));
  return own;
}

const extraction = `import glob, sys, zipfile
folder, target = sys.argv[1:]
[wheel] = glob.glob(folder + "/torch-*.whl")
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        top, _, rest = name.partition("/licenses/")
        if top.endswith(".dist-info") and rest and "/" not in top:
            archive.extract(name, folder)
found = glob.glob(folder + "/*.dist-info/licenses")
import shutil
shutil.copytree(found[0], target)
`;

/** @param {string} version @param {string} path */
function fetchLicenses(version, path) {
  const folder = mkdtempSync(join(tmpdir(), "sqa-wheel-"));
  try {
    const pip = [
      "-m",
      "pip",
      "download",
      "--no-deps",
      "--no-cache-dir",
      "--only-binary=:all:",
      "--dest",
      folder,
    ];
    const wheel = (/** @type {string} */ name) => run("python3", [...pip, `torch==${name}`], { cwd: "/" }).ok;
    if (!wheel(version) && !wheel(/** @type {string} */ (version.split("+")[0])))
      throw new SetupError(`pack: ${path} has no licenses, and pip cannot fetch torch ${version}`);
    const args = ["-c", extraction, folder, join(path, "licenses")];
    runOrFail("pack: the wheel of torch has no licenses", "python3", args);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
