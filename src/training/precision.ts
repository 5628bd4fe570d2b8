import { cpuFlags } from "../engine/index.js";
import { parseNetwork } from "../models/index.js";
import { multipliesBfloat16, type Precision } from "../nn/index.js";

/**
 * What a network is best trained in on a device: bfloat16 where that multiplies it, which was faster for every network that was
 * timed. `flags` are the processor's. RangeError for an unknown network.
 */
export function precisionFor(network: string, device: string, flags = cpuFlags()): Precision {
  parseNetwork(network);
  return multipliesBfloat16(device, flags) ? "bfloat16" : "float32";
}
