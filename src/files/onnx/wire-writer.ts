/** Protocol Buffers allow no larger file. */
const mostBytes = 2 ** 31 - 1;

const encoder = new TextEncoder();

/** Bytes of a whole number, seven bits each, the lowest first; a negative one has ten. */
function varint(value: number): Uint8Array {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no whole number that a file can hold`);
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/**
 * Fields of one protobuf message, written in order: the other half of `Wire`. Long data is kept as it is, not
 * copied.
 *
 * Source: the encoding's description in the Protocol Buffers documentation.
 */
export class WireWriter {
  readonly pieces: Uint8Array[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  int(field: number, value: number): void {
    this.#key(field, 0);
    this.#add(varint(value));
  }

  float(field: number, value: number): void {
    this.#key(field, 5);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#add(bytes);
  }

  text(field: number, text: string): void {
    this.raw(field, encoder.encode(text));
  }

  raw(field: number, bytes: Uint8Array): void {
    this.#key(field, 2);
    this.#add(varint(bytes.length));
    this.#add(bytes);
  }

  /** A message within this one, whose fields `write` gives. */
  message(field: number, write: (inner: WireWriter) => void): void {
    const inner = new WireWriter();
    write(inner);
    this.#key(field, 2);
    this.#add(varint(inner.bytes));
    for (const piece of inner.pieces) this.#add(piece);
  }

  #key(field: number, wire: 0 | 2 | 5): void {
    this.#add(varint(field * 8 + wire));
  }

  #add(piece: Uint8Array): void {
    this.#bytes += piece.length;
    if (this.#bytes > mostBytes) {
      throw new RangeError(`the model has more than ${mostBytes} bytes, which one ONNX file cannot hold`);
    }
    this.pieces.push(piece);
  }
}
