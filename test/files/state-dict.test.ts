import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { FileFormatError } from "../../src/base/index.js";
import { readTorchCheckpoint, stateDictOf } from "../../src/files/index.js";
import { checkpoint, ops, pickle } from "./torch-files.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-state-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A checkpoint that PyTorch wrote; test/golden/torch/make-checkpoints.py says how. */
const golden = (name: string) =>
  readTorchCheckpoint(fileURLToPath(new URL(`../golden/torch/${name}`, import.meta.url)));

/** The network of the golden checkpoints: convolution, batch normalization, linear layer. */
const layers = [
  ...["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked"],
  ...["3.weight", "3.bias"],
];
const plain = stateDictOf(golden("nested.pt")).tensors;
const valuesOf = (tensors: ReadonlyMap<string, { toRowMajor(): { data: ArrayLike<number | bigint> } }>) =>
  new Map(
    [...tensors].map(([name, tensor]) => [name, Array.from(tensor.toRowMajor().data as ArrayLike<number>)]),
  );

const one = ops.tensor(ops.storage("torch.FloatStorage", "0", 1), 0, [1], [1]);
type Nested = { readonly [name: string]: Buffer | Nested };
const built = (value: Buffer | Nested): Buffer =>
  Buffer.isBuffer(value)
    ? value
    : ops.dict(Object.entries(value).map(([name, inner]) => [name, built(inner)]));
/** A checkpoint of nested dictionaries. */
function read(value: Nested) {
  const file = join(folder, "made.pt");
  writeFileSync(file, checkpoint(pickle(built(value)), { 0: new Uint8Array(4) }));
  return readTorchCheckpoint(file);
}
const namesOf = (...given: Parameters<typeof stateDictOf>) => [...stateDictOf(...given).tensors.keys()];

describe("weights are found", () => {
  test("in what a training script saves, whatever stands beside them, and none of it is read", () => {
    for (const name of ["training-2.pt", "training-5.pt"]) {
      const { tensors, place, prefix, left, beside } = stateDictOf(golden(name));
      expect([place, prefix, left]).toEqual(["state_dict", "_orig_mod.module.", []]);
      expect(valuesOf(tensors)).toEqual(valuesOf(plain));
      expect(beside).toContain("best_acc1");
      expect(beside.filter((item) => item.includes("("))).toEqual([
        ...["args (argparse.Namespace)", "config (__main__.Config)", "phase (__main__.Phase)"],
        ...(name === "training-2.pt" ? ["seen (__builtin__.set)"] : ["seen (set)"]),
        ...(name === "training-2.pt" ? ["frozen (__builtin__.frozenset)"] : ["frozen (frozenset)"]),
        ...(name === "training-2.pt" ? ["raw (_codecs.encode)"] : ["raw (bytes)"]),
        ...(name === "training-2.pt" ? ["buffer (__builtin__.bytearray)"] : ["buffer (bytes)"]),
        ...["counts (collections.Counter)", "queue (collections.deque)", "space (types.SimpleNamespace)"],
        ...["act (functools.partial)", "when (datetime.datetime)", "complex (torch.ComplexFloatStorage)"],
        name === "training-2.pt" ? "z (__builtin__.complex)" : "z (builtins.complex)",
      ]);
    }
  });

  test.each([
    ["nested.pt", "model.state_dict", "", []],
    ["averaged.pt", "swa", "module.", ["n_averaged"]],
  ])("in %s", (name, place, prefix, left) => {
    const state = stateDictOf(golden(name));
    expect([state.place, state.prefix, state.left]).toEqual([place, prefix, left]);
    expect([...state.tensors.keys()]).toEqual(layers);
    expect(stateDictOf(golden(name), place)).toEqual(state);
  });

  test("not in a tensor by itself, nor in an optimizer's, nor in a callback's", () => {
    const weights = { "conv.weight": one, "conv.bias": one };
    expect(namesOf(read({ epoch: ops.int(3), state_dict: weights, best_acc1: one }))).toEqual(
      Object.keys(weights),
    );
    expect(namesOf(read({ rng_state: one, model: weights }))).toEqual(Object.keys(weights));
    expect(namesOf(read({ state_dict: weights, callbacks: { best: { score: one } } }))).toEqual(
      Object.keys(weights),
    );
    expect(namesOf(read({ a: { b: { c: { d: weights } } } }))).toEqual(Object.keys(weights));
    expect(namesOf(read({ state_dict: { w: one }, best: one }))).toEqual(["w"]);
    expect(namesOf(read({ ...weights, extra: { scale: one } }))).toEqual(Object.keys(weights));
    expect(stateDictOf(read({ a: { b: { c: { d: { e: weights } } } } })).tensors.size).toBe(0);
  });

  test("in a tuple or list, as of (state_dict, {...}), and in no optimizer's groups", () => {
    const file = join(folder, "tuple.pt");
    const readItems = (...items: Buffer[]) => {
      writeFileSync(file, checkpoint(pickle(ops.tuple(items)), { 0: new Uint8Array(4) }));
      return readTorchCheckpoint(file);
    };
    const weights = ops.dict([["conv.weight", one]]);
    const about = ops.dict([["epoch", ops.int(3)]]);
    const first = stateDictOf(readItems(weights, about));
    expect([[...first.tensors.keys()], first.place, first.beside]).toEqual([
      ["conv.weight"],
      "0",
      ["item 1"],
    ]);
    const nested = readItems(ops.int(3), ops.dict([["model", weights]]), ops.dict([["lr", one]]));
    expect(stateDictOf(nested)).toMatchObject({ place: "1.model", beside: ["item 0", "item 2"] });
    expect(namesOf(nested, "1.model")).toEqual(["conv.weight"]);
    expect(stateDictOf(readItems(weights, weights))).toMatchObject({ places: ["0", "1"], place: undefined });
    expect(namesOf(readItems(weights, weights), "1")).toEqual(["conv.weight"]);
    const groups = ops.dict([["param_groups", ops.tuple([ops.dict([["lr", one]])])]]);
    expect(namesOf(read({ state_dict: { w: one }, optimizer: groups }))).toEqual(["w"]);
    expect(namesOf(read({ models: ops.tuple([weights]), best: one }))).toEqual(["conv.weight"]);
    expect(stateDictOf(readItems(one, one))).toMatchObject({ places: [], beside: ["item 0", "item 1"] });
  });

  test("by a question where there are several", () => {
    const both = read({ net: { "a.weight": one }, ema: { shadow: { "a.weight": one } } });
    expect(stateDictOf(both)).toMatchObject({ places: ["net", "ema.shadow"], place: undefined });
    expect(stateDictOf(both).tensors.size).toBe(0);
    expect(stateDictOf(both, "ema.shadow")).toMatchObject({ place: "ema.shadow", beside: ["net"] });
  });

  test("under names that have dots themselves", () => {
    const dotted = read({ "a.b": { "c.d": { weight: one } }, a: { weight: one } });
    expect(stateDictOf(dotted, "a.b.c.d").tensors.size).toBe(1);
  });
});

describe("names are those of the network", () => {
  test.each([
    ["module."],
    ["_orig_mod."],
    ["_orig_mod.module."],
    ["module._orig_mod."],
    ["module._orig_mod.module.module._orig_mod."],
  ])("without %s of all", (prefix) => {
    const state = stateDictOf(read({ [`${prefix}conv.weight`]: one, [`${prefix}fc.bias`]: one }));
    expect([...state.tensors.keys()]).toEqual(["conv.weight", "fc.bias"]);
    expect(state.prefix).toBe(prefix);
  });

  test("without _orig_mod of some, which were compiled by themselves", () => {
    expect(
      namesOf(
        read({ "layer1._orig_mod.0._orig_mod.weight": one, "_orig_mod.fc.bias": one, "x_orig_mod.w": one }),
      ),
    ).toEqual([...["layer1.0.weight", "fc.bias", "x_orig_mod.w"]]);
    const state = stateDictOf(golden("compiled.pt"), undefined, "1.");
    expect([...state.tensors.keys()]).toEqual(layers);
    expect(state.prefix).toBe("module.1.");
  });

  test("with module. where others have none: then it is a part's own name", () => {
    expect(namesOf(read({ "module.weight": one, "head.weight": one }))).toEqual([
      "module.weight",
      "head.weight",
    ]);
  });

  test("and two of the same are refused", () => {
    const twice = read({ "a._orig_mod.weight": one, "a.weight": one });
    expect(() => stateDictOf(twice)).toThrow(FileFormatError);
    expect(() => stateDictOf(twice)).toThrow('two tensors have the name "a.weight" once');
  });

  test("with a wanted prefix taken away, and others left out", () => {
    const file = read({ "normalize.mean": one, "model.conv.weight": one, "model.fc.bias": one });
    expect(stateDictOf(file, undefined, "model.")).toMatchObject({
      prefix: "model.",
      left: ["normalize.mean"],
    });
    expect(namesOf(file, undefined, "model.")).toEqual(["conv.weight", "fc.bias"]);
    expect(() => stateDictOf(file, undefined, "modle.")).toThrow(
      'unknown prefix "modle."; did you mean "model."? known: normalize., model.',
    );
  });
});

describe("weights that cannot be read", () => {
  test("are refused by name, and not passed over", () => {
    expect(() => stateDictOf(golden("quantized.pt"))).toThrow(FileFormatError);
    expect(() => stateDictOf(golden("quantized.pt"))).toThrow(
      '"3.weight" is a tensor of a kind that is not read: torch._utils._rebuild_qtensor',
    );
  });

  test("of a network that was saved whole are none, and its class is told", () => {
    const { tensors, beside } = stateDictOf(golden("module-inside.pt"));
    expect([tensors.size, beside]).toEqual([0, ["model (torch.nn.modules.container.Sequential)", "epoch"]]);
  });
});
