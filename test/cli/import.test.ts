import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { main } from "../../src/cli/main.js";
import { readSafetensors } from "../../src/files/index.js";
import { small } from "../../src/models/index.js";
import { loadWeights } from "../../src/training/index.js";
import { checkpoint, ops, pickle } from "../files/torch-files.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-import-"));
afterAll(() => rmSync(folder, { recursive: true }));
const golden = (name: string) => fileURLToPath(new URL(`../golden/torch/${name}`, import.meta.url));
const target = join(folder, "weights.safetensors");

async function sqaImport(...words: string[]) {
  rmSync(target, { force: true });
  using captured = captureOutput();
  const code = await main(["import", ...words, "--out", target]);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

/** A state dict of a network, as torch.save lays it out. */
function stateDict(state: ReadonlyMap<string, { shape: readonly number[]; toNumbers(): number[] }>): Buffer {
  const storages: Record<string, Uint8Array> = {};
  const entries = [...state].map(([name, tensor], index) => {
    const data = Float32Array.from(tensor.toNumbers());
    storages[String(index)] = new Uint8Array(data.buffer);
    const strides = tensor.shape.map((_, axis) => tensor.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const storage = ops.storage("torch.FloatStorage", String(index), data.length);
    return [name, ops.tensor(storage, 0, tensor.shape, strides)] as const;
  });
  return checkpoint(pickle(ops.dict(entries)), storages);
}

describe("sqa import", () => {
  test("writes weights that a network loads", async () => {
    const trained = small.build({ seed: 5 });
    const file = join(folder, "small.pt");
    writeFileSync(file, stateDict(trained.module.state()));
    expect(await sqaImport(file)).toEqual({ code: 0, out: `${target}\n`, err: "10 tensors\n" });
    const other = small.build({ seed: 6 });
    loadWeights(target, other.module);
    for (const [name, own] of other.module.state()) {
      expect(own.toNumbers()).toEqual(trained.module.state().get(name)!.toNumbers());
    }
  });

  test("equals what safetensors' own writer makes of the same file", async () => {
    expect((await sqaImport(golden("state-dict.pt"))).code).toBe(0);
    const [found, wanted] = [target, golden("state-dict.safetensors")].map((file) => readSafetensors(file).tensors);
    expect(found).toEqual(wanted);
  });

  test("says what it left out and converted", async () => {
    const { code, err } = await sqaImport(golden("checkpoint.pt"));
    expect(code).toBe(0);
    expect(err).toContain('weights under "state_dict"\n');
    expect(err).toContain("written: 1 of float16 as float32\n");
    expect(err).toContain("written: 1 of float64 as float32\n");
    expect((await sqaImport(golden("wrapped.pt"), "--key", "ema")).err).toContain('without the prefix "module."');
  });

  test.each([
    ["wrapped.pt", [], "no weights are found: it has weights under model, ema; give one by --key"],
    ["wrapped.pt", ["--key", "emma"], 'unknown key "emma"; did you mean "ema"? known: model, ema'],
    ["whole-module.pt", [], "it asks for torch.nn.modules.container.Sequential, which is not allowed"],
    ["nowhere.pt", [], "nowhere.pt does not exist"],
  ])("refuses %s %j, and writes nothing", async (name, words, message) => {
    const { code, out, err } = await sqaImport(golden(name), ...words);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
    expect(existsSync(target)).toBe(false);
  });
});
