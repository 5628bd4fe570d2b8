import { PickleError } from "./pickle-values.js";

/** The bytes of a pickle, read in order; beyond their end is a PickleError. */
export class PickleBytes {
  at = 0;
  readonly #view: DataView;
  // Without replacement: two names that are not UTF-8 would become one. A mark at the beginning is part of a
  // name.
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw new PickleError("it ends in the middle");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  uint(length: 1 | 2 | 4 | 8): number {
    this.take(length);
    const at = this.at - length;
    if (length === 1) return this.#view.getUint8(at);
    if (length === 2) return this.#view.getUint16(at, true);
    // A length beyond 2^53 is rounded, and ends beyond the bytes all the same.
    return length === 4 ? this.#view.getUint32(at, true) : Number(this.#view.getBigUint64(at, true));
  }

  int32(): number {
    return this.uint(4) | 0;
  }

  float(): number {
    this.take(8);
    return this.#view.getFloat64(this.at - 8, false);
  }

  text(length: number): string {
    const at = this.at;
    const bytes = this.take(length);
    try {
      return this.#decoder.decode(bytes);
    } catch {
      throw new PickleError(`the text at byte ${at} is not UTF-8`);
    }
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new PickleError("it ends in the middle");
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  /** A two's complement integer of any length, little-endian. */
  long(length: number): number | bigint {
    const hex = [...this.take(length)].reverse().map((byte) => byte.toString(16).padStart(2, "0"));
    const value = BigInt.asIntN(8 * length, length === 0 ? 0n : BigInt(`0x${hex.join("")}`));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
}
