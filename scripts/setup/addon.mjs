// Compiling native/ against one libtorch: sqa.node for this machine, package.node for an npm package. Each
// libtorch has a build folder of its own, so that changing between them is quick.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { programOnPath, run, runOrFail } from "./command.mjs";
import { cudaBuild } from "./cuda.mjs";
import { SetupError, say, timed } from "./progress.mjs";
import { filesBelow, hashOfContents, isFresh, readJson, writeJson } from "./stamp.mjs";

/** @typedef {import("./libtorch-folder.mjs").Libtorch} Libtorch */

/**
 * The name of the build folder for a libtorch: its version and a short hash of its path. @param {Libtorch}
 * libtorch
 */
export function buildId({ version, path }) {
  const hash = createHash("sha256").update(path).digest("hex").slice(0, 6);
  return `torch-${version.split("+")[0]}-${hash}`;
}

/**
 * Folder of the headers' package, which npm may have put into a node_modules above this package's. @param
 * {string} root
 */
function nodeApiHeaders(root) {
  try {
    return dirname(createRequire(join(root, "package.json")).resolve("node-api-headers/package.json"));
  } catch {
    return join(root, "node_modules", "node-api-headers");
  }
}

/** All that an addon is made from. @param {string} root @param {Libtorch} libtorch */
export function addonStamp(root, { version, path }) {
  const sources = filesBelow(join(root, "native"), (name) => /\.(cc|h|cu|cuh)$|^CMakeLists\.txt$/.test(name));
  const headers = readJson(join(nodeApiHeaders(root), "package.json"));
  return {
    native: hashOfContents(sources),
    libtorch: { version, path },
    cuda: cudaBuild(path),
    nodeApiHeaders: headers?.version ?? "none",
  };
}

/** @param {string} folder */
const stampFile = (folder) => join(folder, "stamp.json");

/**
 * Tells whether `folder` holds an addon made from what is there now. @param {string} root @param {Libtorch}
 * libtorch @param {string} folder
 */
export function addonFresh(root, libtorch, folder) {
  const files = ["sqa.node", "package.node"].map((name) => join(folder, name));
  return files.every((file) => existsSync(file)) && isFresh(stampFile(folder), addonStamp(root, libtorch));
}

/**
 * Builds `folder`/sqa.node if it is not fresh, and loads it once in another process: a libtorch that cannot
 * be loaded is told now, not at the first use. Returns the addon's path.
 * @param {string} root @param {Libtorch} libtorch @param {string} folder @param {{ load?: boolean }}
 *   [options]
 */
export function buildAddon(root, libtorch, folder, { load = true } = {}) {
  const addon = join(folder, "sqa.node");
  if (addonFresh(root, libtorch, folder)) return addon;
  const stamp = addonStamp(root, libtorch);
  if (stamp.cuda !== null) {
    const { nvcc } = stamp.cuda;
    say(
      nvcc === null
        ? "setup: no nvcc: without kernels of our own SQA and its noise cannot run on a CUDA device (put " +
            "nvcc on PATH)"
        : `setup: CUDA kernels by ${nvcc}`,
    );
  }
  timed(`setup: compiling the addon against libtorch ${libtorch.version} (one to ten minutes)`, () => {
    compile(root, libtorch, join(folder, "cmake"));
    // A running process may have the old addon mapped: replace it, never write into it.
    for (const [made, place] of [
      ["sqa.node", addon],
      [join("package", "sqa.node"), join(folder, "package.node")],
    ]) {
      copyFileSync(join(folder, "cmake", /** @type {string} */ (made)), `${place}.new`);
      renameSync(`${place}.new`, /** @type {string} */ (place));
    }
    if (load) checkLoads(addon, libtorch);
  });
  writeJson(stampFile(folder), stamp);
  return addon;
}

/**
 * Compiles into a folder, which is begun anew where an earlier build in it was killed: that may leave half of
 * an object file, which make takes for a whole one.
 * @param {string} root @param {Libtorch} libtorch @param {string} folder
 */
function compile(root, libtorch, folder) {
  const unfinished = `${folder}.unfinished`;
  if (existsSync(unfinished)) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(unfinished, "");
  try {
    runCmake(root, libtorch, folder);
  } finally {
    rmSync(unfinished);
  }
}

/** @param {string} root @param {Libtorch} libtorch @param {string} folder */
function runCmake(root, libtorch, folder) {
  const nvcc = cudaBuild(libtorch.path)?.nvcc;
  const configure = [
    ...["-G", programOnPath("make") ? "Unix Makefiles" : "Ninja"],
    ...["-S", join(root, "native"), "-B", folder, "-DCMAKE_BUILD_TYPE=Release"],
    ...(nvcc ? [`-DCMAKE_CUDA_COMPILER=${nvcc}`] : []),
    `-DTORCH_PREFIX=${libtorch.path}`,
    `-DNODE_API_INCLUDE=${join(nodeApiHeaders(root), "include")}`,
  ];
  if (!run("cmake", configure, { supervised: true }).ok) {
    // A checkout that was moved, or another CMake: its old cache is refused, so begin anew before calling it
    // an error.
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    runOrFail("setup: cmake cannot configure the addon; its last lines stand above", "cmake", configure, {
      supervised: true,
      lines: 25,
    });
  }
  const build = ["--build", folder, "--parallel", String(availableParallelism())];
  runOrFail(
    "setup: the addon does not compile; the first lines of the compiler stand above",
    "cmake",
    build,
    {
      supervised: true,
      lines: 40,
      from: "start",
    },
  );
}

/** @param {string} addon @param {Libtorch} libtorch */
function checkLoads(addon, libtorch) {
  const code = "process.dlopen({ exports: {} }, process.argv[1])";
  const { ok, output } = run(process.execPath, ["-e", code, addon]);
  if (ok) return;
  const reason = /^(?:Error: )(.*)$/m.exec(output)?.[1] ?? output.trim().split("\n").at(-1);
  throw new SetupError(
    `setup: libtorch in ${libtorch.path} does not load: ${reason}. Set LIBTORCH to another one.`,
  );
}
