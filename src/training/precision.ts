import { cpuFlags } from "../engine/index.js";
import { parseNetwork } from "../models/index.js";
import { multipliesBfloat16, type Precision, usesBatchStatistics } from "../nn/index.js";

/**
 * What a network is best trained in on a device: bfloat16 where that multiplies it and libtorch's operators do the work. On a
 * processor networks without batch normalization run in fused blocks, which are for float32. `flags` are the
 * processor's. RangeError for an unknown network.
 */
export function precisionFor(network: string, device: string, flags = cpuFlags()): Precision {
  const known = parseNetwork(network);
  if (!multipliesBfloat16(device, flags)) return "float32";
  if (device !== "cpu") return "bfloat16";
  const { module } = known.build({ seed: 0 });
  try {
    return usesBatchStatistics(module) ? "bfloat16" : "float32";
  } finally {
    module.dispose();
  }
}
