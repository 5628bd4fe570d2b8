// CUDA, as far as setup needs to know: whether a libtorch is built for it, and the compiler of our own
// kernels.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { programOnPath } from "./command.mjs";

/** Tells whether a libtorch is a CUDA build. @param {string} path */
export function isCudaLibtorch(path) {
  return existsSync(join(path, "lib", "libtorch_cuda.so"));
}

/**
 * The nvcc that is on PATH, else the toolkit's in its usual places; undefined where there is none. @param
 * {Record<string, string | undefined>} [env]
 */
export function findNvcc(env = process.env) {
  const folders = [env.PATH, ...[env.CUDA_HOME, "/usr/local/cuda"].map((home) => home && join(home, "bin"))];
  return programOnPath("nvcc", folders.filter(Boolean).join(":"));
}

/**
 * Share of CUDA that an addon is built with: no CUDA, CUDA's libtorch alone, or kernels of our own by a compiler.
 * @param {string} path
 */
export function cudaBuild(path) {
  return isCudaLibtorch(path) ? { nvcc: findNvcc() ?? null } : null;
}
