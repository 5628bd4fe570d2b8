import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { FileFormatError } from "../../src/base/index.js";
import { readCheckpointWeights, readTorchCheckpoint, stateDictOf } from "../../src/files/index.js";
import { checkpoint, ops, pickle } from "./torch-files.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-hostile-"));
afterAll(() => rmSync(folder, { recursive: true }));

function read(data: Uint8Array, storages: Readonly<Record<string, Uint8Array>> = {}) {
  const file = join(folder, "hostile.pt");
  writeFileSync(file, checkpoint(data, storages));
  return readTorchCheckpoint(file);
}

/** Expects a FileFormatError for a checkpoint of a pickle and storages. */
function expectRefused(
  data: Uint8Array,
  message: RegExp,
  storages: Readonly<Record<string, Uint8Array>> = {},
): void {
  expect(() => read(data, storages)).toThrow(FileFormatError);
  expect(() => read(data, storages)).toThrow(message);
}

const repeated = (piece: Buffer, times: number) => Buffer.alloc(piece.length * times, piece);
/** Text of any bytes, as BINUNICODE has it. */
const bytesAsText = (bytes: readonly number[]) => Buffer.from([0x58, bytes.length, 0, 0, 0, ...bytes]);

describe("a pickle that would take all memory", () => {
  test("many dictionaries out of one list", () => {
    const pairs = Buffer.concat(
      Array.from({ length: 2000 }, (_, i) => Buffer.concat([ops.int(i), Buffer.from("N\x86", "latin1")])),
    );
    const list = Buffer.concat([Buffer.from("]q\x00(", "latin1"), pairs, Buffer.from("e0")]);
    const copy = Buffer.concat([ops.global("collections.OrderedDict"), Buffer.from("h\x00\x85R", "latin1")]);
    const bomb = (copies: number) =>
      pickle(list, Buffer.from("]("), repeated(copy, copies), Buffer.from("e"));
    expectRefused(bomb(3000), /its dictionaries have more entries than it has bytes/);
    expect(read(bomb(1))).toHaveLength(1);
  });

  test("many tensors out of one storage", () => {
    const count = 2 ** 16;
    const storage = ops.storage("torch.CharStorage", "0", count);
    const bomb = (tensors: number) =>
      pickle(
        ops.dict(Array.from({ length: tensors }, (_, i) => [`t${i}`, ops.tensor(storage, 0, [count], [1])])),
      );
    const storages = { 0: new Uint8Array(count) };
    // 8 bytes an element once they are int64: 128 such tensors are 64 MiB.
    expect(stateDictOf(read(bomb(128), storages)).tensors.size).toBe(128);
    expectRefused(
      bomb(129),
      /its tensors have more than 67108864 bytes once they are written, out of a file of/,
      storages,
    );
  });

  test("one tensor under many names", () => {
    const count = 2 ** 16;
    const tensor = ops.tensor(ops.storage("torch.CharStorage", "0", count), 0, [count], [1]);
    const entry = (i: number) => Buffer.concat([ops.text(`t${i}`), Buffer.from("h\x00", "latin1")]);
    const bomb = (names: number) =>
      pickle(
        Buffer.concat([tensor, Buffer.from("q\x000}(", "latin1")]),
        ...Array.from({ length: names }, (_, i) => entry(i)),
        Buffer.from("u"),
      );
    const weights = (names: number) => {
      const file = join(folder, "shared.pt");
      writeFileSync(file, checkpoint(bomb(names), { 0: new Uint8Array(count) }));
      return readCheckpointWeights(file).tensors;
    };
    const few = weights(128);
    expect(few.size).toBe(128);
    expect(few.get("t1")).toBe(few.get("t0"));
    expect(() => weights(10_000)).toThrow(FileFormatError);
    expect(() => weights(129)).toThrow(
      /shared.pt: its 129 weights have 67633152 bytes once they are written/,
    );
  });

  test.each([
    ["empty dictionaries", Buffer.from("}")],
    ["empty lists", Buffer.from("]")],
    ["marks", Buffer.from("(")],
    ["sets", Buffer.from([0x8f])],
    ["values that are kept", Buffer.concat([Buffer.from("Nr"), Buffer.from([1, 2, 3, 4])])],
    ["objects that are passed over", Buffer.concat([Buffer.from("ca\nb\n)R")])],
  ])("%s without end", (_, piece) => {
    expectRefused(pickle(repeated(piece, 2 ** 23)), /it describes more values than any checkpoint has/);
  });

  test("a long list that is given to many objects that are passed over, which takes time", () => {
    const list = Buffer.concat([
      Buffer.from("]q\x00(", "latin1"),
      repeated(Buffer.from("N"), 100_000),
      Buffer.from("e0"),
    ]);
    const given = Buffer.from("ca\nb\n)\x81h\x00b0", "latin1");
    expectRefused(pickle(list, repeated(given, 100_000)), /it describes more values than any checkpoint has/);
  });

  test("a shape of many axes, which each tensor would look through", () => {
    const shape = Buffer.concat([
      Buffer.from("("),
      repeated(Buffer.from("K\x01", "latin1"), 65),
      Buffer.from("t"),
    ]);
    const storage = ops.storage("torch.FloatStorage", "0", 1);
    const tensor = Buffer.concat([
      ops.global("torch._utils._rebuild_tensor_v2"),
      ...[Buffer.from("("), storage, ops.int(0), shape, shape, Buffer.from("tR")],
    ]);
    expectRefused(pickle(tensor), /with what that does not take/, { 0: new Uint8Array(4) });
  });
});

describe("names", () => {
  const one = ops.tensor(ops.storage("torch.FloatStorage", "0", 1), 0, [1], [1]);
  const dictOf = (...names: Buffer[]) =>
    pickle(Buffer.from("}("), ...names.flatMap((name) => [name, one]), Buffer.from("u"));
  const storages = { 0: new Uint8Array(4) };

  test.each([
    ["a byte of Latin-1", [0xc9]],
    ["half of a character", [0xe2, 0x82]],
    ["half of a pair", [0xed, 0xa0, 0x80]],
  ])("that are not UTF-8 are refused: %s", (_, bytes) => {
    expectRefused(
      dictOf(bytesAsText(bytes), bytesAsText([0xb9])),
      /the text at byte \d+ is not UTF-8/,
      storages,
    );
  });

  test("that differ by a byte order mark are two", () => {
    const { tensors } = stateDictOf(
      read(dictOf(bytesAsText([0xef, 0xbb, 0xbf, 0x61]), ops.text("a")), storages),
    );
    expect([...tensors.keys()]).toEqual(["\ufeffa", "a"]);
  });
});

describe("a message", () => {
  test("shows what a terminal would obey as codes, and cuts long names", () => {
    expectRefused(
      pickle(Buffer.from("cos\x1b]0;owned\x07\x1b[2J\nsystem\n")),
      /os\\u001b\]0;owned\\u0007\\u001b\[2J\.system,/,
    );
    expectRefused(
      pickle(Buffer.from(`c${"a".repeat(1e6)}\nb\n`)),
      /asks for a{149}…a{48}\.b, which is not allowed/,
    );
    const key = `\u001b${"k".repeat(250)}`;
    const storage = ops.tuple([
      ops.text("storage"),
      ops.global("torch.FloatStorage"),
      ops.text(key),
      ops.text("cpu"),
      ops.int(1),
    ]);
    expectRefused(pickle(storage, ops.byte(0x51)), /storage "\\u001bk{148}…k{50}", which the archive lacks/);
  });
});

describe("what could only be an attack", () => {
  const storages = { 0: new Uint8Array(4) };
  const weights = ops.tensor(ops.storage("torch.FloatStorage", "0", 1), 0, [1], [1]);

  test.each([
    "os.system",
    "posix.system",
    "nt.system",
    "subprocess.Popen",
    "builtins.exec",
    "__builtin__.eval",
    "runpy._run_code",
  ])("is refused beside weights too: %s", (name) => {
    const dot = name.lastIndexOf(".");
    const stacked = [ops.text(name.slice(0, dot)), ops.text(name.slice(dot + 1)), ops.byte(0x93)];
    const named = `it asks for ${name}, which is not allowed`;
    for (const attack of [
      ops.call(name, [ops.text("touch /tmp/x")]),
      Buffer.concat([...stacked, ops.tuple([]), ops.byte(0x81)]),
    ]) {
      const data = pickle(
        ops.dict([
          ["conv.weight", weights],
          ["x", attack],
        ]),
      );
      expect(() => read(data, storages)).toThrow(named);
    }
  });

  test("has a name that another class may begin with", () => {
    const data = pickle(
      ops.dict([
        ["conv.weight", weights],
        ["x", ops.call("osmium.System", [])],
      ]),
    );
    expect(stateDictOf(read(data, storages)).left).toEqual(["x"]);
  });
});
