import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { writeSafetensors } from "../../src/files/index.js";
import { small } from "../../src/models/index.js";
import { loadWeights, saveWeights } from "../../src/training/index.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-weights-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("weights come back as they were saved", () => {
  const file = join(folder, "float32.safetensors");
  const [saved, loaded] = [small().build({ seed: 1 }), small().build({ seed: 2 })];
  saveWeights(file, saved.module);
  loadWeights(file, loaded.module);
  const [before, after] = [saved, loaded].map(({ module }) =>
    [...module.state()].map(([, value]) => value.toArray()),
  );
  expect(after).toEqual(before);
});

it("bfloat16 weights become the float32 of the same value", () => {
  const file = join(folder, "bfloat16.safetensors");
  const model = small().build({ seed: 1 });
  // 1, -2, 0.5 and 3.140625 in bfloat16, by hand.
  const bits = [0x3f80, 0xc000, 0x3f00, 0x4049];
  const tensors = [...model.module.state()].map(([name, { shape, size }]) => {
    const data = Uint16Array.from({ length: size }, (_, i) => bits[i % 4]!);
    return [name, { dtype: "bfloat16", shape: [...shape], data }] as const;
  });
  writeSafetensors(file, tensors);
  loadWeights(file, model.module);
  expect([...model.module.state().get("fc2.bias")!.toNumbers()].slice(0, 5)).toEqual([
    1, -2, 0.5, 3.140625, 1,
  ]);
});

it("a tensor of whole numbers is no weight", () => {
  const file = join(folder, "int64.safetensors");
  const model = small().build({ seed: 1 });
  const tensors = [...model.module.state()].map(([name, { shape, size }]) => {
    return [name, { dtype: "int64", shape: [...shape], data: new BigInt64Array(size) }] as const;
  });
  writeSafetensors(file, tensors);
  expect(() => loadWeights(file, model.module)).toThrow(
    /int64.safetensors: tensor "[a-z0-9.]+" must hold floats, not integers$/,
  );
});
