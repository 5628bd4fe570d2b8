import { readFileSync } from "node:fs";

/** The processor's flags, as /proc/cpuinfo lists them; none where there is no such file. */
export function cpuFlags(): readonly string[] {
  flags ??= readFlags();
  return flags;
}

let flags: readonly string[] | undefined;

function readFlags(): string[] {
  try {
    const line = readFileSync("/proc/cpuinfo", "utf8").match(/^flags\s*:\s*(.*)$/m);
    return line?.[1]?.split(" ") ?? [];
  } catch {
    return [];
  }
}

/**
 * Those of a processor's flags that stand for arithmetic in bfloat16; empty where libtorch emulates it,
 * slowly.
 */
export function bfloat16Flags(flags: readonly string[]): string[] {
  return ["amx_bf16", "avx512_bf16"].filter((flag) => flags.includes(flag));
}

/**
 * Says in words which of a processor's flags, as /proc/cpuinfo lists them, stand for arithmetic in bfloat16.
 */
export function bfloat16Support(flags: readonly string[]): string {
  const found = bfloat16Flags(flags);
  return found.length > 0 ? `yes (${found.join(", ")})` : "no (emulated: slow)";
}
