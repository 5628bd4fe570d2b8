// Fetching the torch package by pip: the pinned file by its hash where the index has it, else another build,
// and then said so.
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { excerpt, run } from "./command.mjs";
import { SetupError, say } from "./progress.mjs";

/** The version that setup installs; the addon also builds against others, from 1.13 on. */
export const pinnedVersion = "2.13.0";

/**
 * A wheel by its name and SHA-256.
 * @typedef {{ version: string, python: string, abi: string, platform: string, sha256: string }} Wheel
 */

/**
 * The CPU build. Only its libraries and headers are used, so one Python's wheel serves machines with any
 * other. @type {Wheel}
 */
const pinnedWheel = {
  version: `${pinnedVersion}+cpu`,
  python: "3.11",
  abi: "cp311",
  platform: "manylinux_2_28_x86_64",
  sha256: "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",
};

/**
 * Installs torch into `folder`; false where pip has none, which is then said. Throws SetupError where the
 * index has a file of the pinned name with other content.
 * @param {string} folder @param {Wheel} [wheel]
 */
export function pipInstall(folder, wheel = pinnedWheel) {
  if (installPinned(folder, wheel)) return true;
  for (const version of [`${pinnedVersion}+cpu`, pinnedVersion]) {
    const result = pip(folder, ["--no-deps", `torch==${version}`]);
    // The libraries of a CUDA build lie in packages of their own, without which libtorch does not load.
    const whole = result.ok && isCudaBuild(folder) ? pip(folder, ["--upgrade", `torch==${version}`]) : result;
    if (whole.ok) {
      say(
        "setup: libtorch: not checked: pip's index lacks the file whose SHA-256 is known, and gave " +
          "another " +
          `torch ${version}`,
      );
      return true;
    }
    if (version === pinnedVersion) {
      say(`setup: libtorch: pip failed: ${excerpt(whole.output, 1)[0] ?? "it said nothing"}`);
    }
  }
  return false;
}

/**
 * Installs the one file of the known hash; false where the index lacks it. @param {string} folder @param
 * {Wheel} wheel
 */
function installPinned(folder, { version, python, abi, platform, sha256 }) {
  const requirements = `${folder}.requirements.txt`;
  writeFileSync(requirements, `torch==${version} --hash=sha256:${sha256}\n`);
  try {
    const chosen = [
      "--python-version",
      python,
      "--implementation",
      "cp",
      "--abi",
      abi,
      "--platform",
      platform,
    ];
    const result = pip(folder, ["--no-deps", ...chosen, "--require-hashes", "-r", requirements]);
    if (/do not match the hashes/i.test(result.output)) {
      throw new SetupError(
        `setup: libtorch: pip's index gives another torch ${version} than the file of SHA-256 ${sha256}: ` +
          "it is not " +
          "installed. Use another index (pip config), or set LIBTORCH to a libtorch that you trust.",
      );
    }
    if (result.ok) say(`setup: libtorch: torch ${version} has the known SHA-256`);
    return result.ok;
  } finally {
    rmSync(requirements, { force: true });
  }
}

/** @param {string} folder @param {string[]} args */
function pip(folder, args) {
  const common = ["-m", "pip", "install", "--target", folder, "--no-compile", "--no-input", "--no-cache-dir"];
  return run("python3", [...common, "--only-binary=:all:", ...args], {
    cwd: "/",
    supervised: true,
    // A user's setting `user = true` cannot go with --target.
    env: { PIP_USER: "0", PIP_DISABLE_PIP_VERSION_CHECK: "1" },
  });
}

/** @param {string} folder */
function isCudaBuild(folder) {
  return existsSync(join(folder, "torch", "lib", "libtorch_cuda.so"));
}
