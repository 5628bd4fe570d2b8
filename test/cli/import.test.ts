import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
    const trained = small().build({ seed: 5 });
    const file = join(folder, "small.pt");
    writeFileSync(file, stateDict(trained.module.state()));
    expect(await sqaImport(file)).toEqual({ code: 0, out: `${target}\n`, err: "10 tensors\n" });
    const other = small().build({ seed: 6 });
    loadWeights(target, other.module);
    for (const [name, own] of other.module.state()) {
      expect(own.toNumbers()).toEqual(trained.module.state().get(name)!.toNumbers());
    }
  });

  test("equals what safetensors' own writer makes of the same file", async () => {
    expect((await sqaImport(golden("state-dict.pt"))).code).toBe(0);
    const [found, wanted] = [target, golden("state-dict.safetensors")].map(
      (file) => readSafetensors(file).tensors,
    );
    expect(found).toEqual(wanted);
  });

  test("finds the weights among what a training script saves, and says what it passed over", async () => {
    const { code, err } = await sqaImport(golden("training-2.pt"));
    expect([code, readSafetensors(target).tensors.size]).toEqual([0, 9]);
    expect(err).toBe(
      [
        'weights under "state_dict"',
        "passed over beside them: epoch, arch, best_acc1, optimizer, scheduler, rng_state, numpy_rng, " +
          "args (argparse.Namespace), config (__main__.Config), phase (__main__.Phase) and 13 more",
        'without the prefix "_orig_mod.module." of every name',
        "9 tensors\n",
      ].join("\n"),
    );
  });

  test("takes a prefix away that is asked for, and names one that could be", async () => {
    const { err } = await sqaImport(golden("lightning.pt"));
    expect(err).toContain(
      'every name begins with "model.": where the network has other names, add --prefix model.\n',
    );
    expect((await sqaImport(golden("lightning.pt"), "--prefix", "model.")).err).not.toContain("add --prefix");
    expect([...readSafetensors(target).tensors.keys()]).toContain("0.weight");
  });

  test("warns of numbers that are not finite", async () => {
    const file = join(folder, "nan.pt");
    const data = new Uint8Array(Float32Array.of(1, Number.NaN).buffer);
    const tensor = ops.tensor(ops.storage("torch.FloatStorage", "0", 2), 0, [2], [1]);
    writeFileSync(file, checkpoint(pickle(ops.dict([["fc.weight", tensor]])), { 0: data }));
    const { code, err } = await sqaImport(file);
    expect(code).toBe(0);
    expect(err).toContain("warning: NaN or infinite numbers in fc.weight: such a network answers nothing\n");
  });

  test("replaces no file, its own input neither, but with --force", async () => {
    const file = join(folder, "own.pt");
    const original = readFileSync(golden("state-dict.pt"));
    const run = async (out: string, ...words: string[]) => {
      using captured = captureOutput();
      return { code: await main(["import", file, "--out", out, ...words]), err: captured.stderr.text };
    };
    writeFileSync(file, original);
    const { code, err } = await run(file);
    expect([code, err]).toEqual([
      1,
      `error: ${file} is there already, with other content, and is not replaced; --force replaces it\n`,
    ]);
    expect(readFileSync(file).equals(original)).toBe(true);
    // What it has written itself is no other content.
    const written = join(folder, "own.safetensors");
    expect([(await run(written)).code, (await run(written)).code]).toEqual([0, 0]);
    expect((await run(file, "--force")).code).toBe(0);
    expect(readSafetensors(file)).toEqual(readSafetensors(written));
  });

  test("says what it left out and converted", async () => {
    const { code, err } = await sqaImport(golden("checkpoint.pt"));
    expect(code).toBe(0);
    expect(err).toContain('weights under "state_dict"\n');
    expect(err).toContain("written: 1 of float16 as float32\n");
    expect(err).toContain("written: 1 of float64 as float32\n");
    expect((await sqaImport(golden("wrapped.pt"), "--key", "ema")).err).toContain(
      'without the prefix "module."',
    );
  });

  test.each([
    ["wrapped.pt", [], "no weights are found: it has weights under model, ema; give one by --key"],
    ["wrapped.pt", ["--key", "emma"], 'unknown key "emma"; did you mean "ema"? known: model, ema'],
    ["whole-module.pt", [], "it could run anything. A whole module is a program, which is never run; export"],
    [
      "module-inside.pt",
      [],
      "model (torch.nn.modules.container.Sequential), epoch. Save the network's state_dict(), or export",
    ],
    [
      "quantized.pt",
      [],
      'quantized.pt: "3.weight" is a tensor of a kind that is not read: torch._utils._rebuild_qtensor',
    ],
    ["lightning.pt", ["--prefix", "modle."], 'unknown prefix "modle."; did you mean "model."? known: model.'],
    ["state-dict.safetensors", [], "it is a safetensors file, which need not be imported"],
    ["nowhere.pt", [], "nowhere.pt does not exist"],
  ])("refuses %s %j, and writes nothing", async (name, words, message) => {
    const { code, out, err } = await sqaImport(golden(name), ...words);
    const isMissing = message.includes("does not exist");
    expect([code, out]).toEqual([isMissing ? 66 : message.startsWith("unknown ") ? 1 : 65, ""]);
    const [first, ...recipe] = err.trimEnd().split("\n");
    expect(first).toContain(message);
    expect(recipe.filter((line) => !line.startsWith("  "))).toEqual([]);
    expect(existsSync(target)).toBe(false);
  });
});
