import { versions } from "../device/devices.js";
import type { Launch } from "./launch.js";

/**
 * Device of a rank: `cuda` is the one of its place on the machine, or the only one that the launcher lets it
 * see.
 *
 * @throws RangeError for `cuda:N`, which all ranks would take, and where a rank has no device of its own
 */
export function rankDevice(
  device: string,
  { launcher, localRank, localSize, size }: Launch,
  cudaDevices: number = device === "cpu" ? 0 : versions().cudaDevices,
): string {
  if (device === "cpu") return device;
  if (device !== "cuda") {
    throw new RangeError(
      `device ${device}: each of ${size} ranks takes one of its own; give device cuda, or --standalone`,
    );
  }
  if (cudaDevices <= 1) return device;
  if (localRank === undefined)
    throw new RangeError(`device cuda: ${launcher} does not say which of its machine's ranks this is`);
  if (localRank >= cudaDevices) {
    throw new RangeError(
      `device cuda: ${localSize ?? "the"} ranks on this machine need a device each, and it has ` +
        `${cudaDevices}: start fewer ranks on it`,
    );
  }
  return `cuda:${localRank}`;
}
