import { native, type Versions } from "../native.js";
import { type CudaAbilities, deviceNamed } from "./device-name.js";

/** Versions and abilities of the loaded libtorch and of the addon. */
export function versions(): Versions {
  return native().versions();
}

/**
 * The full name of a device that is there, `cpu` or `cuda:0`, for `cpu`, `cuda` or `cuda:N`. Throws a
 * TypeError for no such name, and a RangeError that says why where the device is not there.
 */
export function checkDevice(name: string): string {
  if (name === "cpu") return name;
  abilities ??= versions();
  const device = deviceNamed(name, abilities);
  if (!opened.has(device)) {
    // Work on the default stream could not be captured as a graph, so none is done there.
    native().openDevice(Number(device.split(":")[1]));
    opened.add(device);
  }
  return device;
}

/**
 * Returns a device as an operator takes it: checked where it is CUDA's. The addon refuses other names, and
 * says of which operator.
 */
export function deviceArgument(name: string | undefined): string | undefined {
  return typeof name === "string" && name.startsWith("cuda") ? checkDevice(name) : name;
}

const opened = new Set<string>();

/** Devices do not come and go while a process runs. */
let abilities: CudaAbilities | undefined;

/**
 * Tells whether CUDA devices time cuDNN's algorithms for each shape of a convolution that they have not seen,
 * and take the fastest: for work that meets the same shapes again and again. Off at first.
 */
export function searchConvolutions(on: boolean): void {
  native().searchConvolutions(on);
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
