import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { FileFormatError } from "../../src/base/index.js";
import { crc32 } from "../../src/files/archives/zip.js";
import { readSafetensors, readStoredZip, readTorchCheckpoint, stateDictOf } from "../../src/files/index.js";
import { StridedTensor } from "../../src/files/torch/torch-storage.js";
import { checkpoint, ops, pickle, zipBytes } from "./torch-files.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-torch-"));
afterAll(() => rmSync(folder, { recursive: true }));
/** Files that PyTorch 2.13 wrote. */
const golden = (name: string) => fileURLToPath(new URL(`../golden/torch/${name}`, import.meta.url));
let made = 0;
const fileOf = (bytes: Uint8Array) => {
  const file = join(folder, `${made++}.pt`);
  writeFileSync(file, bytes);
  return file;
};
const read = (bytes: Uint8Array) => readTorchCheckpoint(fileOf(bytes));
const four = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);
const storage = ops.storage("torch.FloatStorage", "0", 4);

describe("a file that PyTorch wrote", () => {
  test("is read as safetensors' own writer wrote the same weights", () => {
    const { tensors, left, place } = stateDictOf(readTorchCheckpoint(golden("state-dict.pt")));
    const expected = readSafetensors(golden("state-dict.safetensors")).tensors;
    expect([left, place]).toEqual([[], undefined]);
    expect(new Set(tensors.keys())).toEqual(new Set(expected.keys()));
    for (const [name, { dtype, shape, data }] of expected) {
      const found = tensors.get(name)!.toRowMajor();
      expect([found.dtype, found.shape]).toEqual([dtype, shape]);
      expect([...found.data]).toEqual([...data]);
    }
  });

  test("keeps views, every type of element, and what else a checkpoint holds", () => {
    const whole = readTorchCheckpoint(golden("checkpoint.pt")) as Map<string, unknown>;
    expect(whole.get("epoch")).toBe(3);
    expect(whole.get("lr")).toBe(0.1);
    expect(whole.get("best")).toBeNull();
    expect(whole.get("flags")).toEqual([true, false]);
    expect(whole.get("big")).toBe(2n ** 70n);
    expect(whole.get("shape")).toEqual([1, 2, 3, 4]);
    const { tensors, place } = stateDictOf(readTorchCheckpoint(golden("checkpoint.pt")));
    const values = (name: string) => {
      const { dtype, shape, data } = tensors.get(name)!.toRowMajor();
      return [dtype, shape, [...data]];
    };
    expect(place).toBe("state_dict");
    expect(values("a")).toEqual(["float32", [4, 3], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]]);
    expect(values("b")).toEqual(["float32", [3], [2, 3, 4]]);
    expect(values("half")).toEqual(["float32", [2], [1.5, -2.25]]);
    expect(values("bf")).toEqual(["float32", [2], [1.5, -2.25]]);
    expect(values("d")).toEqual(["float32", [1], [Math.fround(1 / 3)]]);
    expect(values("i")).toEqual(["int64", [1, 2], [1n, -2n]]);
    expect(values("scalar")).toEqual(["float32", [], [7.5]]);
    expect(values("empty")).toEqual(["float32", [0, 3], []]);
    expect(values("p")).toEqual(["float32", [2], [1, 2]]);
  });

  test("may keep its weights under a key, with a wrapper's prefix, by a later protocol", () => {
    const wrapped = readTorchCheckpoint(golden("wrapped.pt"));
    expect(stateDictOf(wrapped)).toMatchObject({ places: ["model", "ema"], place: undefined });
    expect(stateDictOf(wrapped).tensors.size).toBe(0);
    const { tensors, prefix } = stateDictOf(wrapped, "ema");
    expect(prefix).toBe("module.");
    expect([...tensors.keys()].sort()).toEqual(
      [...readSafetensors(golden("state-dict.safetensors")).tensors.keys()].sort(),
    );
    expect(stateDictOf(wrapped, "epoch").tensors.size).toBe(0);
  });

  test.each([
    [
      "whole-module.pt",
      /data\.pkl: it asks for torch\.nn\.modules\.container\.Sequential, which.*export the model.*\n.*import/,
    ],
    [
      "legacy.pt",
      /not a checkpoint of PyTorch 1\.6 or later \(a zip archive\); older ones must be saved again/,
    ],
    ["state-dict.safetensors", /not a checkpoint of PyTorch/],
  ])("%s is refused, with the reason", (name, message) => {
    expect(() => readTorchCheckpoint(golden(name))).toThrow(FileFormatError);
    expect(() => readTorchCheckpoint(golden(name))).toThrow(message);
  });
});

test("a tensor whose sign is turned around as it is read is refused", () => {
  const flags = (neg: number) => ops.dict([["neg", ops.byte(neg)]]);
  const whole = [storage, ops.int(0), ops.tuple([ops.int(4)]), ops.tuple([ops.int(1)])];
  const tensor = (neg: number) =>
    ops.call("torch._utils._rebuild_tensor_v2", [
      ...whole,
      ops.byte(0x89),
      ops.call("collections.OrderedDict", []),
      flags(neg),
    ]);
  const checkpointOf = (neg: number) => checkpoint(pickle(ops.dict([["w", tensor(neg)]])), { 0: four });
  const [no, yes] = [0x89, 0x88];
  expect([...stateDictOf(read(checkpointOf(no))).tensors.keys()]).toEqual(["w"]);
  expect(() => read(checkpointOf(yes))).toThrow(/is negated when it is read: save its resolve_neg\(\)/);
});

describe("nothing is executed", () => {
  test.each([
    "os.system",
    "builtins.eval",
    "posix.system",
    "torch.load",
    "torch._utils.__class__",
    "collections.deque",
  ])("%s is refused and named", (name) => {
    const dot = name.lastIndexOf(".");
    const stacked = [ops.text(name.slice(0, dot)), ops.text(name.slice(dot + 1)), ops.byte(0x93)];
    for (const data of [pickle(ops.call(name, [ops.text("touch /tmp/x")])), pickle(...stacked)]) {
      expect(() => read(checkpoint(data))).toThrow(`it asks for ${name}, which is not allowed`);
    }
  });

  test("operations that make objects, and calls of what is no function, are refused", () => {
    const ordered = ops.call("collections.OrderedDict", []);
    for (const [data, message] of [
      [
        pickle(Buffer.from("(i os\nsystem\n")),
        "operation 0x69 at byte 3 is not allowed: protocols 2 to 5 are read",
      ],
      [pickle(ops.int(1), ops.tuple([]), ops.byte(0x81)), "it calls what is no function"],
      [pickle(ops.text("f"), ops.tuple([]), ops.byte(0x52)), "it calls what is no function"],
      [pickle(ordered, ops.tuple([]), ops.byte(0x52)), "it calls what is no function"],
      [
        pickle(ops.call("torch.FloatStorage", [])),
        "it calls torch.FloatStorage with what that does not take",
      ],
      [
        pickle(ops.call("collections.OrderedDict", [ops.int(1)])),
        "it calls collections.OrderedDict with what",
      ],
      [pickle(ops.int(1), ops.dict([]), ops.byte(0x62)), "it sets the attributes of an object"],
      [pickle(ops.text("x"), ops.byte(0x51)), "it refers to something that is no tensor's storage"],
      [pickle(ops.int(3), ops.int(1), ops.byte(0x61)), "it appends to what is no list"],
      [pickle(ops.byte(0x68), ops.byte(9)), "it recalls value 9, which it has not kept"],
      [pickle(), "it takes from an empty stack"],
      [Buffer.from([0x80, 2]), "it ends in the middle"],
      [pickle(Buffer.from([0x58, 0xff, 0xff, 0xff, 0xff])), "it ends in the middle"],
    ] as const) {
      expect(() => read(checkpoint(data)), message).toThrow(message);
    }
  });
});

describe("a tensor lies inside its storage", () => {
  test("or is refused", () => {
    for (const [data, message] of [
      [ops.tensor(storage, 1, [4], [1]), "ends behind the 4 elements"],
      [ops.tensor(storage, -1, [4], [1]), "with what that does not take"],
      [ops.tensor(storage, 0, [4], [-1]), "with what that does not take"],
      [ops.tensor(storage, 0, [2, 2], [1]), "with what that does not take"],
      [ops.tensor(storage, 0, [2, 2], [2, 2]), "ends behind the 4 elements"],
      [ops.tensor(storage, 0, [5], [0]), "has more elements than the 4 of its storage"],
      [ops.tensor(storage, 0, [2 ** 30, 2 ** 30], [0, 0]), "has more elements than the 4 of its storage"],
      [ops.tensor(storage, 2 ** 30, [1], [1]), "ends behind the 4 elements"],
      [
        ops.tensor(ops.storage("torch.FloatStorage", "0", 5), 0, [1], [1]),
        'storage "0" of 5 float32 has 16 bytes',
      ],
      [
        ops.tensor(ops.storage("torch.FloatStorage", "../0", 4), 0, [1], [1]),
        'storage "../0", which the archive lacks',
      ],
      [ops.tensor(ops.int(1), 0, [1], [1]), "with what that does not take"],
      [ops.tuple([storage, ops.storage("torch.IntStorage", "0", 4)]), 'gives storage "0" two types or sizes'],
    ] as const) {
      expect(() => read(checkpoint(pickle(data), { 0: four })), message).toThrow(message);
    }
  });

  test("and is then read by its strides", () => {
    const columns = read(checkpoint(pickle(ops.tensor(storage, 0, [2, 2], [1, 2])), { 0: four }));
    expect(columns).toBeInstanceOf(StridedTensor);
    expect([...(columns as StridedTensor).toRowMajor().data]).toEqual([1, 3, 2, 4]);
  });
});

describe("an archive", () => {
  const pkl = { name: "net/data.pkl", data: pickle(ops.dict([])) };
  test("by our own writer is read", () => {
    expect(read(zipBytes([pkl]))).toEqual(new Map());
    expect(crc32(Buffer.from("123456789"))).toBe(0xcbf43926);
  });

  test("may have names that are not UTF-8, which stay apart", () => {
    const others = [[0xc9], [0xb9], [0xc3, 0xb9]].map((bytes) => ({
      name: Uint8Array.from(bytes),
      data: "x",
    }));
    expect([...readStoredZip(zipBytes([pkl, ...others]), "a.zip").keys()]).toEqual([
      "net/data.pkl",
      "É",
      "¹",
      "ù",
    ]);
  });

  test.each([
    [
      "TorchScript",
      [pkl, { name: "archive/code/__torch__.py", data: "class M", compress: true }],
      "TorchScript is a program, which is never run; export the model in Python",
    ],
    ["bomb", [{ ...pkl, data: Buffer.alloc(1e6), compress: true }], "is compressed (method 8)"],
    ["damaged file", [{ ...pkl, crc: 1 }], "is damaged: its CRC-32 does not fit"],
    ["file behind the end", [{ ...pkl, size: 1e6 }], "reaches into the list of files"],
    ["file elsewhere", [{ ...pkl, start: 5 }], "is not where the list of files says"],
    ["file used twice", [pkl, { name: "net/data/0", data: pkl.data, start: 0 }], "overlaps another file"],
    ["name twice", [pkl, pkl], "occurs twice"],
    ["encrypted file", [{ ...pkl, flags: 1 }], "is encrypted"],
    ["big-endian checkpoint", [pkl, { name: "net/byteorder", data: "big" }], "its numbers are big-endian"],
    [
      "archive of something else",
      [{ name: "net/readme", data: "" }],
      "a checkpoint has one data.pkl, this has 0",
    ],
    [
      "archive of two checkpoints",
      [pkl, { ...pkl, name: "b/data.pkl" }],
      "a checkpoint has one data.pkl, this has 2",
    ],
  ])("%s is refused", (_, entries, message) => {
    expect(() => read(zipBytes(entries))).toThrow(FileFormatError);
    expect(() => read(zipBytes(entries))).toThrow(message);
  });

  test("cut short anywhere is refused", () => {
    const whole = readFileSync(golden("checkpoint.pt"));
    for (let length = 0; length < whole.length; length += 97) {
      expect(() => read(whole.subarray(0, length))).toThrow(FileFormatError);
    }
    expect(() => readTorchCheckpoint(folder)).toThrow("not a regular file");
  });

  test("with any bytes changed is read or refused, never anything else", () => {
    const whole = readFileSync(golden("checkpoint.pt"));
    const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    const file = join(folder, "changed.pt");
    fc.assert(
      fc.property(changes, (list) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of list) bytes[at] = value;
        writeFileSync(file, bytes);
        try {
          for (const tensor of stateDictOf(readTorchCheckpoint(file)).tensors.values()) tensor.toRowMajor();
        } catch (error) {
          if (!(error instanceof FileFormatError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });

  test("with any pickle is read or refused, never anything else", () => {
    const original = pickle(ops.dict([["w", ops.tensor(storage, 0, [2, 2], [2, 1])]]));
    const changes = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(changes, (list) => {
        const data = Buffer.from(original);
        for (const [at, value] of list) data[at] = value;
        const file = join(folder, "changed.pt");
        writeFileSync(file, checkpoint(data, { 0: four }));
        try {
          for (const tensor of stateDictOf(readTorchCheckpoint(file)).tensors.values()) tensor.toRowMajor();
        } catch (error) {
          if (!(error instanceof FileFormatError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});
