// Which systems a shared library can be loaded on, by the versions of the symbols that it asks for.
import { basename } from "node:path";
import { runOrFail } from "../setup/command.mjs";
import { SetupError } from "../setup/progress.mjs";

/** The newest symbols that a package may ask for, of each library: Debian 10, RHEL 8, Ubuntu 20.04. */
export const newest = /** @type {const} */ ({
  GLIBC: "2.28",
  GLIBCXX: "3.4.25",
  CXXABI: "1.3.11",
  GCC: "7.0.0",
  GOMP: "5.0",
  OMP: "5.0",
});

/** Libraries that every such system has. */
const ofTheSystem = /^(?:lib(?:c|m|dl|rt|pthread|gcc_s|stdc\+\+)\.so\.\d+|ld-linux-[\w-]+\.so\.\d)$/;

/** Orders versions such as 2.9 and 2.28. */
const byVersion = new Intl.Collator("en", { numeric: true });

/**
 * The newest version of each kind in the output of `objdump -T`. @param {string} symbols @returns
 * {Record<string, string>}
 */
export function newestVersions(symbols) {
  /** @type {Record<string, string>} */
  const versions = {};
  for (const [, , kind, version] of symbols.matchAll(/\*UND\*.*?(\(|\s)([A-Z]+)_(\d[\d.]*)\)?\s/g)) {
    const last = versions[/** @type {string} */ (kind)];
    if (last === undefined || byVersion.compare(/** @type {string} */ (version), last) > 0)
      versions[/** @type {string} */ (kind)] = /** @type {string} */ (version);
  }
  return versions;
}

/**
 * Problems of a library's versions and needed libraries; none where it loads on every promised system.
 * @param {Record<string, string>} versions @param {string[]} needed @param {string[]} packaged
 */
export function problemsOf(versions, needed, packaged) {
  const problems = [];
  for (const [kind, version] of Object.entries(versions)) {
    const limit = /** @type {Record<string, string>} */ (newest)[kind];
    if (limit === undefined) problems.push(`it asks for ${kind}_${version}, which is not expected`);
    else if (byVersion.compare(version, limit) > 0)
      problems.push(`it asks for ${kind}_${version}; ${kind}_${limit} is the newest allowed`);
  }
  for (const name of needed) {
    if (!ofTheSystem.test(name) && !packaged.includes(name))
      problems.push(`it needs ${name}, which is not packed`);
  }
  return problems;
}

/**
 * Checks a library against `newest`, and that all it needs is packed or part of the system; returns the
 * newest versions that it asks for. On macOS the linker's deployment target stands for that.
 * @param {string} file @param {string[]} packaged
 */
export function checkSymbols(file, packaged) {
  if (process.platform !== "linux") return {};
  const missing = "pack: objdump is missing (binutils)";
  const versions = newestVersions(runOrFail(missing, "objdump", ["-T", file]));
  const headers = runOrFail(missing, "objdump", ["-p", file]);
  const needed = [...headers.matchAll(/^\s+NEEDED\s+(\S+)$/gm)].map(
    ([, name]) => /** @type {string} */ (name),
  );
  const problems = problemsOf(versions, needed, packaged);
  if (problems.length > 0) throw new SetupError(`pack: ${basename(file)}: ${problems.join("; ")}`);
  return versions;
}
