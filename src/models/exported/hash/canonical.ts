import { createHash } from "node:crypto";

/** Version of the form that is hashed, so that hashes of different forms differ. */
const form = "sqa-graph/1";

/** Numbers that stand for names, in the order in which the names are met. */
export class Numbers {
  readonly #numbers = new Map<string, number>();

  has(name: string): boolean {
    return this.#numbers.has(name);
  }

  of(name: string): number {
    const found = this.#numbers.get(name) ?? this.#numbers.size;
    this.#numbers.set(name, found);
    return found;
  }
}

/** Writes infinities and NaN, which JSON lacks and operators may have as bounds, as text. */
const written = (_: string, value: unknown) =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value;

/**
 * SHA-256 of a graph's structure: operators, attributes, connections and shapes, in the order of the file.
 * Names of values and nodes, and where they come from in a source, are no part of it; nor are weights.
 */
export class StructureHash {
  readonly #hash = createHash("sha256").update(`${form}\n`);

  /** Adds a part, as JSON in a line of its own. */
  add(...part: readonly unknown[]): void {
    this.#hash.update(`${JSON.stringify(part, written)}\n`);
  }

  digest(): string {
    return this.#hash.digest("hex");
  }
}

/** SHA-256 of the bytes of an array. */
export function contentSha256(
  data: Uint8Array | { buffer: ArrayBufferLike; byteOffset: number; byteLength: number },
) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * Tells whether a tensor's values are structure, as indices, shapes and switches are, and not weights: floats
 * and narrow integers, to which weights are quantized.
 */
export function isStructure(type: string, elements: number): boolean {
  return !/float/.test(type) && (elements <= 1 || !/^u?int[48]$/.test(type));
}
