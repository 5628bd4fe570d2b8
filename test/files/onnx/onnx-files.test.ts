import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readOnnx } from "../../../src/files/index.js";
import { bytes, int, model, tensor } from "./onnx-bytes.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-onnx-"));
afterAll(() => rmSync(folder, { recursive: true }));

const float = 1;
const read = (content: Uint8Array) => {
  const file = readOnnx(content);
  return file.elements(file.model.graph.initializers[0]!);
};
const raw = (content: readonly number[]) => bytes(9, content);

describe("tensors of ONNX files", () => {
  it("are read in every type and form", () => {
    const cases: [number, number[], string, number[]][] = [
      [float, raw([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]), "float32", [1, -2]],
      [float, bytes(4, [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]), "float32", [1, -2]],
      [11, raw([0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0]), "float64", [1.5, 0]],
      [10, raw([0x00, 0x3c, 0x00, 0xc0]), "float32", [1, -2]],
      [10, bytes(5, [...[0x80, 0x78], ...[0x80, 0x80, 0x03]]), "float32", [1, -2]],
      [16, raw([0x80, 0x3f, 0x00, 0xc0]), "float32", [1, -2]],
      [2, raw([7, 255]), "uint8", [7, 255]],
      [3, raw([7, 255]), "int8", [7, -1]],
      [3, bytes(5, [7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), "int8", [7, -1]],
      [21, raw([0x21]), "uint8", [1, 2]],
      [21, bytes(5, [0xf3, 0x01]), "uint8", [3, 15]],
      [22, raw([0x8f]), "int8", [-1, -8]],
      [17, raw([0x7e, 0x81]), "float32", [448, -(2 ** -9)]],
      [18, raw([0x7f, 0x80]), "float32", [240, Number.NaN]],
      [19, raw([0x7c, 0x01]), "float32", [Number.POSITIVE_INFINITY, 2 ** -16]],
      [20, bytes(5, [0x7f, 0x01]), "float32", [57344, 2 ** -17]],
      [4, raw([1, 0, 255, 255]), "int32", [1, 65535]],
      [5, raw([1, 0, 255, 255]), "int32", [1, -1]],
      [6, raw([1, 0, 0, 0, 255, 255, 255, 255]), "int32", [1, -1]],
      [7, bytes(7, [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), "int64", [1, -1]],
      [9, raw([0, 2]), "bool", [0, 1]],
      [12, raw([1, 0, 0, 0, 255, 255, 255, 255]), "int64", [1, 4294967295]],
      [13, bytes(11, [1, 2]), "int64", [1, 2]],
    ];
    for (const [type, data, stored, wanted] of cases) {
      const found = read(model(tensor("w", type, [2], data)));
      expect(found.stored).toBe(stored);
      expect(Array.from(found.data as ArrayLike<number | bigint>, Number)).toEqual(wanted);
    }
  });

  it.each([
    ["too few bytes", tensor("w", float, [2], raw([0, 0, 0, 0])), "takes 8 bytes, found 4"],
    ["two forms", tensor("w", float, [1], raw([0, 0, 0, 0]), bytes(4, [0, 0, 0, 0])), "elements twice"],
    ["another type's field", tensor("w", float, [1], bytes(7, [1])), "not written in the field int64_data"],
    ["more than its shape", tensor("w", 7, [1], bytes(7, [1, 1])), "more elements than its shape"],
    ["a negative side", tensor("w", float, [-1], raw([])), "has the shape [-1]"],
    ["a product beyond 2^53", tensor("w", float, [2 ** 40, 2 ** 40], raw([])), "too large"],
    ["half a byte too few", tensor("w", 22, [3], raw([0])), "takes 2 bytes, found 1"],
    ["half a byte too many", tensor("w", 21, [2], raw([0, 0])), "takes 1 bytes, found 2"],
    ["complex numbers", tensor("w", 14, [1], raw([0])), "elements of type number 14 are not read"],
    ["text", tensor("w", 8, [1], bytes(6, "a")), "elements of type string are not read"],
    ["an integer without an end", tensor("w", 7, [1], bytes(7, [0x80])), "no end"],
  ])("are refused with %s", (_, made, message) => {
    expect(() => read(model(made))).toThrow(message);
  });
});

describe("ONNX files", () => {
  it.each([
    ["nothing", Uint8Array.of(), "not an ONNX model"],
    ["text", Buffer.from("hello, world"), "ONNX"],
    ["a zip archive", Buffer.from("PK\x03\x04 and more of it"), "it is a zip archive"],
    ["a length beyond the end", Uint8Array.of(0x3a, 0x7f, 0), "ends in the middle"],
    [
      "a length of 2^63",
      Uint8Array.from([0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
      "ends in the middle",
    ],
    ["an integer of eleven bytes", Uint8Array.from([8, ...Array(11).fill(0x80), 0]), "ten bytes"],
    ["a group", Uint8Array.of(0x0b), "wire type 3"],
    ["two graphs", Uint8Array.from([...model([]), ...bytes(7, [])]), "two graphs"],
    ["sparse weights", model(bytes(15, [])), "sparse weights"],
  ])("that hold %s are refused", (_, content, message) => {
    expect(() => readOnnx(new Uint8Array(content))).toThrow(message);
  });

  it("whose messages are nested without end are refused", () => {
    let graph: number[] = [];
    for (let depth = 0; depth < 100; depth++) graph = bytes(1, bytes(5, [...bytes(6, graph), ...int(20, 5)]));
    expect(() => readOnnx(model(graph))).not.toThrow();
    let packed: number[] = int(1, 1);
    for (let depth = 0; depth < 40; depth++) packed = bytes(1, packed);
    expect(() => readOnnx(model(bytes(5, packed)))).toThrow();
  });

  it("of millions of empty entries are refused before they fill the memory", () => {
    const graph = new Uint8Array(2 * 2_100_000).map((_, i) => (i % 2 === 0 ? 0x5a : 0));
    const content = Uint8Array.from([...int(1, 8), 0x3a, ...lengthOf(graph.length)]);
    const whole = new Uint8Array(content.length + graph.length);
    whole.set(content);
    whole.set(graph, content.length);
    expect(() => readOnnx(whole)).toThrow("entries");
  });
});

function lengthOf(value: number): number[] {
  return value < 128 ? [value] : [(value & 0x7f) | 0x80, ...lengthOf(value >> 7)];
}

describe("weights in files beside a model", () => {
  const entry = (key: string, value: string) => bytes(13, [...bytes(1, key), ...bytes(2, value)]);
  const external = (place: Record<string, string>) =>
    model(
      tensor("w", float, [1], ...Object.entries(place).map(([key, value]) => entry(key, value)), int(14, 1)),
    );
  const path = join(folder, "m.onnx");
  const elements = (place: Record<string, string>) => {
    writeFileSync(path, external(place));
    const file = readOnnx(path);
    try {
      return [...(file.elements(file.model.graph.initializers[0]!).data as Float32Array)];
    } finally {
      file.close();
    }
  };
  writeFileSync(join(folder, "w.data"), Buffer.from(new Float32Array([1, 2, 3]).buffer));
  mkdirSync(join(folder, "inner"));
  writeFileSync(join(folder, "inner", "w.data"), Buffer.alloc(4));
  symlinkSync("/etc/passwd", join(folder, "link"));
  writeFileSync(join(folder, "linked"), Buffer.alloc(4));
  linkSync(join(folder, "linked"), join(folder, "second-name"));

  it("are read from their place", () => {
    expect(elements({ location: "w.data", offset: "4", length: "4" })).toEqual([2]);
    expect(elements({ location: "w.data", offset: "8" })).toEqual([3]);
  });

  it.each([
    ["../w.data", "plain name"],
    ["/etc/passwd", "plain name"],
    ["inner/w.data", "plain name"],
    ["..", "plain name"],
    ["inner", "no regular file"],
    ["link", "is a link"],
    ["linked", "2 hard links"],
    ["missing", "not beside the model"],
  ])("at %s are refused", (location, message) => {
    expect(() => elements({ location })).toThrow(message);
  });

  it.each([
    [{ location: "w.data", offset: "12", length: "4" }, "which has 12"],
    [{ location: "w.data", offset: "-4" }, "the offset"],
    [{ location: "w.data", offset: "1e3" }, "the offset"],
    [{ location: "w.data", length: "8" }, "takes 4 bytes, found 8"],
    [{ location: "w.data", hidden: "1" }, "unknown key"],
    [{ offset: "0" }, "no location"],
  ])("with the entries %o are refused", (place, message) => {
    expect(() => elements(place as Record<string, string>)).toThrow(message);
  });
});
