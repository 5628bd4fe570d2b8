import { expect, test } from "vitest";
import { precisionFor } from "../../src/training/index.js";

test.each([
  ["cpu", ["avx512_bf16", "amx_bf16"], "bfloat16"],
  ["cpu", ["amx_bf16"], "bfloat16"],
  ["cpu", ["avx2", "avx512f"], "float32"],
  ["cuda", [], "bfloat16"],
])("%s with [%s] trains in %s", (device, flags, precision) => {
  expect(precisionFor(device, flags)).toBe(precision);
});
