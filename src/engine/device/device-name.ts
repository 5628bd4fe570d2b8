import { setUpCommand } from "../addon-file.js";

/** CUDA support of the loaded libtorch. */
export interface CudaAbilities {
  readonly libtorch: string;
  /**
   * `none`: built without CUDA; `libtorch`: with it, but the addon has no kernels of its own for it;
   * `kernels`: all.
   */
  readonly cuda: "none" | "libtorch" | "kernels";
  readonly cudaDevices: number;
}

/**
 * The full name of a device that is there: `cpu` or `cuda:0`, for `cpu`, `cuda` or `cuda:N`.
 * Throws a TypeError for no such name, and a RangeError that says why where the device is not there.
 */
export function deviceNamed(name: string, { libtorch, cuda, cudaDevices }: CudaAbilities): string {
  const match = typeof name === "string" ? /^(?:cpu|cuda(?::(\d{1,3}))?)$/.exec(name) : null;
  if (match === null) throw new TypeError(`device must be cpu, cuda or cuda:N, not ${String(name)}`);
  if (name === "cpu") return name;
  if (cuda === "none") {
    throw new RangeError(
      `device ${name} is not there: libtorch ${libtorch} is built without CUDA; ` +
        `set SQA_LIBTORCH to one that is, such as Python's torch package, and run ${setUpCommand()} once`,
    );
  }
  if (cudaDevices === 0) {
    throw new RangeError(
      `device ${name} is not there: libtorch ${libtorch} finds no CUDA device (no driver, or ` +
        "CUDA_VISIBLE_DEVICES hides it)",
    );
  }
  const index = Number(match[1] ?? 0);
  if (index >= cudaDevices) {
    const last = cudaDevices === 1 ? "" : ` .. cuda:${cudaDevices - 1}`;
    throw new RangeError(`device ${name} is not there: this machine has cuda:0${last}`);
  }
  return `cuda:${index}`;
}
