import { expect, test } from "vitest";
import { precisionFor } from "../../src/training/index.js";

test.each([
  ["resnet18", "cpu", ["avx512_bf16"], "bfloat16"],
  ["resnet18", "cpu", ["avx2", "avx512f"], "float32"],
  ["small", "cpu", ["avx512_bf16", "amx_bf16"], "bfloat16"],
  ["small", "cpu", ["avx2"], "float32"],
  ["small(batchNorm=true)", "cpu", ["amx_bf16"], "bfloat16"],
  ["small", "cuda", [], "bfloat16"],
])("%s on %s with [%s] is trained in %4$s", (network, device, flags, precision) => {
  expect(precisionFor(network, device, flags)).toBe(precision);
});

test("a network that is not known is named, whatever the device", () => {
  for (const device of ["cpu", "cuda"]) expect(() => precisionFor("resnet19", device)).toThrow(/resnet18/);
});
