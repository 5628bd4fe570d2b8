import { FileFormatError } from "../../base/index.js";

/** Work that one file may ask for: entries of all messages together, and how deep they are nested. */
const mostEntries = 2_000_000;
const deepest = 16;

/** Common ground of the readers of one file: its name in errors, and the entries that are left. */
export interface Budget {
  readonly file: string;
  entries: number;
}

/** A budget for a file of that name. */
export function budgetFor(file: string): Budget {
  return { file, entries: mostEntries };
}

const wires = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * Fields of one protobuf message, read in order. No read goes beyond the message, and all messages of a file
 * share a budget of entries.
 *
 * Source: the encoding's description in the Protocol Buffers documentation.
 */
export class Wire {
  #at: number;
  #wire = 0;
  #numbers: DataView | undefined;

  /** Number of the field that was read last. */
  field = 0;

  constructor(
    readonly bytes: Uint8Array,
    readonly budget: Budget,
    readonly depth = 0,
  ) {
    this.#at = 0;
    if (depth > deepest) throw this.refuse(`messages are nested more than ${deepest} deep`);
  }

  /** An error that names the file. */
  refuse(problem: string): FileFormatError {
    return new FileFormatError(`${this.budget.file}: ${problem}`);
  }

  /** Goes on to the next field; false at the end. Its value has to be read, or skipped. */
  next(): boolean {
    if (this.#at === this.bytes.length) return false;
    this.spend(1);
    const key = this.#varint();
    this.field = Number(key >> 3n);
    this.#wire = Number(key & 7n);
    if (this.field === 0 || this.field >= 2 ** 29) {
      throw this.refuse(`a protobuf message has a field with number ${this.field}: not an ONNX file`);
    }
    return true;
  }

  /** Takes entries off the budget. */
  spend(entries: number): void {
    this.budget.entries -= entries;
    if (this.budget.entries < 0) throw this.refuse(`it has more than ${mostEntries} entries`);
  }

  /** The field's value as a signed integer of 64 bits. */
  int64(): bigint {
    this.#expect(wires.varint);
    return BigInt.asIntN(64, this.#varint());
  }

  /** The same as a number; beyond 2^53 it is rounded, which only limits such as "to the end" are. */
  int(): number {
    return Number(this.int64());
  }

  float(): number {
    this.#expect(wires.fixed32);
    this.#need(4);
    this.#at += 4;
    this.#numbers ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    return this.#numbers.getFloat32(this.#at - 4, true);
  }

  /** The bytes of a text, a submessage or raw data: a view, not a copy. */
  raw(): Uint8Array {
    this.#expect(wires.bytes);
    const length = Number(this.#varint());
    this.#need(length);
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  /** A text. Errors where it is not UTF-8: two names must not become one. */
  text(): string {
    return utf8(this.raw(), this);
  }

  /** A reader of the submessage in this field. */
  message(): Wire {
    return new Wire(this.raw(), this.budget, this.depth + 1);
  }

  /** Adds integers, packed or not, to a list. */
  intsInto(list: number[]): void {
    if (this.#wire === wires.varint) {
      list.push(this.int());
      return;
    }
    const packed = this.message();
    while (packed.#at < packed.bytes.length) {
      this.spend(1);
      list.push(Number(BigInt.asIntN(64, packed.#varint())));
    }
  }

  /** Adds floats of 32 bits, packed or not, to a list. */
  floatsInto(list: number[]): void {
    if (this.#wire === wires.fixed32) {
      list.push(this.float());
      return;
    }
    const raw = this.raw();
    if (raw.length % 4 !== 0) throw this.refuse("a list of floats ends in the middle of one");
    this.spend(raw.length / 4);
    const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
    for (let at = 0; at < raw.length; at += 4) list.push(view.getFloat32(at, true));
  }

  /** Packed numbers of a tensor: their bytes; numbers that stand alone are packed first. */
  packed(): Uint8Array {
    if (this.#wire === wires.bytes) return this.raw();
    const start = this.#at;
    this.skip();
    return this.bytes.subarray(start, this.#at);
  }

  /** Passes over the field's value. */
  skip(): void {
    if (this.#wire === wires.varint) this.#varint();
    else if (this.#wire === wires.bytes) this.raw();
    else if (this.#wire === wires.fixed32 || this.#wire === wires.fixed64) {
      const length = this.#wire === wires.fixed32 ? 4 : 8;
      this.#need(length);
      this.#at += length;
    } else throw this.refuse(`a protobuf field of unknown wire type ${this.#wire}: not an ONNX file`);
  }

  #expect(wire: number): void {
    if (this.#wire === wire) return;
    throw this.refuse(`protobuf field ${this.field} has wire type ${this.#wire} where ${wire} belongs`);
  }

  #need(length: number): void {
    const left = this.bytes.length - this.#at;
    if (length > left) throw this.refuse(`it ends in the middle: ${length} bytes wanted, ${left} left`);
  }

  #varint(): bigint {
    const first = this.bytes[this.#at];
    if (first !== undefined && first < 0x80) {
      this.#at++;
      return BigInt(first);
    }
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      this.#need(1);
      const byte = this.bytes[this.#at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw this.refuse("a protobuf integer of more than ten bytes: not an ONNX file");
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text of UTF-8 bytes. */
export function utf8(bytes: Uint8Array, wire: Wire): string {
  if (bytes.length > 2 ** 16) throw wire.refuse(`a name of ${bytes.length} bytes, more than 65536`);
  try {
    return decoder.decode(bytes);
  } catch {
    throw wire.refuse("a name is not UTF-8");
  }
}
