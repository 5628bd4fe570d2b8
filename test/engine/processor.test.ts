import { expect, test } from "vitest";
import { bfloat16Support } from "../../src/engine/index.js";

test("arithmetic in bfloat16 is told by the processor's flags", () => {
  // Sapphire Rapids, Zen 4 and Zen 3, as /proc/cpuinfo lists them.
  expect(bfloat16Support("avx512f avx512_bf16 amx_bf16 amx_tile".split(" "))).toBe(
    "yes (amx_bf16, avx512_bf16)",
  );
  expect(bfloat16Support("avx2 avx512f avx512_bf16".split(" "))).toBe("yes (avx512_bf16)");
  expect(bfloat16Support("avx avx2 fma".split(" "))).toBe("no (emulated: slow)");
});
