import type { Chance } from "./amounts.js";

/** Numbers at which sizes and counts turn over. */
const edges = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 4096];

const texts = [
  ...["__proto__", "constructor", "NaN", "Infinity", "-1", "1e999", "9007199254740993", "null", "{}", "[]"],
  ...['"', "\\u0000", "../../x", "F32", "BF16", "I64", "[1,2]", "\n", "&a", "*a", "<<", "true"],
  "18446744073709551616",
];

const numbers = ["-1", "4294967296", "1e400", "0", "99999999999999999999", "7"];

type Change = (bytes: Buffer, at: number, chance: Chance, others: readonly Uint8Array[]) => Buffer;

const insert = (bytes: Buffer, at: number, piece: Uint8Array, replaced = 0) =>
  Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + replaced)]);

/** Writes a number over four bytes, where there are as many. */
const overwrite =
  (order: "LE" | "BE"): Change =>
  (bytes, at, chance) => {
    if (at + 4 <= bytes.length) bytes[`writeUInt32${order}`](chance.pick(edges), at);
    return bytes;
  };

const changes: readonly Change[] = [
  (bytes, at, chance) => {
    if (at < bytes.length) bytes[at]! ^= 1 << chance.int(8);
    return bytes;
  },
  (bytes, at, chance) => {
    if (at < bytes.length) bytes[at] = chance.int(256);
    return bytes;
  },
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at, chance) =>
    insert(
      bytes,
      at,
      Uint8Array.from({ length: 1 + chance.int(16) }, () => chance.int(256)),
    ),
  (bytes, at, chance) => insert(bytes, at, new Uint8Array(0), 1 + chance.int(16)),
  overwrite("LE"),
  overwrite("BE"),
  (bytes, at, chance) => insert(bytes, at, bytes.subarray(at, at + chance.int(64))),
  (bytes, at, chance) => insert(bytes, at, Buffer.from(chance.pick(texts)), chance.int(6)),
  (bytes, at, chance, others) => {
    const other = chance.pick(others);
    const from = chance.int(other.length + 1);
    return insert(bytes, at, other.subarray(from, from + chance.int(200)));
  },
  (bytes, _, chance) => {
    // A number that is written as text, near the beginning, where headers are.
    const found = [...bytes.toString("latin1", 0, 4000).matchAll(/\d+/g)];
    if (found.length === 0) return bytes;
    const { index, 0: text } = chance.pick(found);
    return insert(bytes, index, Buffer.from(chance.pick(numbers)), text.length);
  },
];

/** Returns a copy of a file with one to nine changes, most of them near its beginning. */
export function mutated(file: Uint8Array, others: readonly Uint8Array[], chance: Chance): Buffer {
  let bytes: Buffer = Buffer.from(file);
  const count = 1 + chance.int(chance.share() < 0.5 ? 2 : 9);
  for (let i = 0; i < count; i++) {
    const within = chance.share() < 0.5 ? Math.min(bytes.length, 400) : bytes.length;
    bytes = chance.pick(changes)(bytes, chance.int(within + 1), chance, others);
  }
  return bytes;
}
