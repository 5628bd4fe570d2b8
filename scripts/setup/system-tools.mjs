// The compiler and CMake, and Debian packages in general.
import { agrees } from "./ask.mjs";
import { programOnPath, run, runOrFail } from "./command.mjs";
import { SetupError, timed } from "./progress.mjs";

/** Programs that building the addon needs, and the Debian package of each. */
const tools = { cmake: "cmake", "g++": "g++", make: "make" };

/** Tells whether this process may install Debian packages. */
export function canInstallPackages() {
  return process.getuid?.() === 0 && programOnPath("apt-get") !== undefined;
}

/**
 * Installs Debian packages with apt, once a user at a terminal agrees; throws the one line to run instead
 * where that is not allowed.
 * @param {string[]} packages @param {string} purpose
 */
export function installPackages(packages, purpose) {
  const command = `apt-get update && apt-get install -y ${packages.join(" ")}`;
  if (!canInstallPackages()) throw new SetupError(`setup: ${purpose} missing; run as root: ${command}`);
  if (!agrees(`setup: ${purpose} missing; install ${packages.join(", ")} by apt-get?`))
    throw new SetupError(`setup: ${purpose} missing; run: ${command}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const wait = ["-o", "DPkg::Lock::Timeout=300"];
  timed(`setup: ${packages.join(", ")}, by apt-get`, () => {
    // An update that fails for one source may still have what is needed from another: the install decides.
    run("apt-get", [...wait, "update"], { env });
    const args = [...wait, "install", "-y", "--no-install-recommends", ...packages];
    runOrFail(`setup: ${purpose} missing and apt-get failed; run: ${command}`, "apt-get", args, { env });
  });
}

/** Tells whether a program or, for make, what does the same for CMake is on PATH. @param {string} program */
function isThere(program) {
  return programOnPath(program) !== undefined || (program === "make" && programOnPath("ninja") !== undefined);
}

/** Installs cmake, g++ and make where they are missing. */
export function setUpTools() {
  const missing = Object.entries(tools).filter(([program]) => !isThere(program));
  if (missing.length === 0) return;
  const names = missing.map(([program]) => program).join(", ");
  installPackages(
    missing.map(([, name]) => name),
    names,
  );
  const still = missing.filter(([program]) => !isThere(program));
  if (still.length > 0)
    throw new SetupError(
      `setup: ${still.map(([program]) => program).join(", ")} not on PATH after its installation`,
    );
}
