import { cpuFlags } from "../engine/index.js";
import { multipliesBfloat16, type Precision } from "../nn/index.js";

/**
 * Precision that a device best trains in: bfloat16 where it multiplies that, which was faster for every
 * network that was timed. `flags` are the processor's.
 */
export function precisionFor(device: string, flags = cpuFlags()): Precision {
  return multipliesBfloat16(device, flags) ? "bfloat16" : "float32";
}
