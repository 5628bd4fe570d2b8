import { native } from "./native.js";

/** Versions and abilities of the loaded libtorch. */
export function versions(): { libtorch: string; cpuCapability: string; cudaDevices: number } {
  return native().versions();
}

/** The number of threads that one operator may use. */
export function threads(): number {
  return native().threads();
}

/** Sets the number of threads that one operator may use, 1 .. 1024. */
export function setThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > 1024) {
    throw new RangeError(`threads must be an integer in 1 .. 1024, not ${count}`);
  }
  native().setThreads(count);
}

/** The exact count of live tensors in this process, and the bytes that they own. */
export function liveTensors(): { tensors: number; bytes: number } {
  return native().memory();
}
