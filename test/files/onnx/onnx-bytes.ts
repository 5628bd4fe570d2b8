/** Protobuf, written by hand: an integer. */
export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
}

/** A field of an integer. */
export const int = (field: number, value: number | bigint): number[] => [
  ...varint(field * 8),
  ...varint(value),
];

/** A field of bytes: a text, or a message. */
export function bytes(field: number, value: string | readonly number[]): number[] {
  const content = typeof value === "string" ? [...Buffer.from(value)] : value;
  return [...varint(field * 8 + 2), ...varint(content.length), ...content];
}

/** A model of a graph's fields, in operator set 17. */
export const model = (...graph: number[][]): Uint8Array =>
  Uint8Array.from([...int(1, 8), ...bytes(7, graph.flat()), ...bytes(8, int(2, 17))]);

/** A tensor of a model: its name, type and shape, and further fields. */
export const tensor = (name: string, type: number, shape: readonly number[], ...more: number[][]): number[] =>
  bytes(5, [...shape.flatMap((side) => int(1, side)), ...int(2, type), ...bytes(8, name), ...more.flat()]);
