import { expect, test } from "vitest";
import { packRecords, unpackRecords } from "../../gpu/packed-records.mjs";

/** Images that are smooth but for some noise, edges, and colors that go together. */
function records(count: number): Uint8Array {
  const bytes = new Uint8Array(count * 3073);
  for (let i = 0; i < count; i++) {
    bytes[i * 3073] = i % 10;
    for (let at = 0; at < 3072; at++) {
      const [x, y, color] = [at % 32, Math.floor(at / 32) % 32, Math.floor(at / 1024)];
      const edge = x > 10 + i ? 90 : 0;
      bytes[i * 3073 + 1 + at] = 80 + 2 * x + y + edge + color * 5 + ((at * 7919 * (i + 1)) % 5);
    }
  }
  return bytes;
}

test("records come back as they were", () => {
  const plain = records(7);
  const packed = packRecords(plain);
  expect(packed.length).toBeLessThan(plain.length / 2);
  expect(Buffer.compare(unpackRecords(packed), plain)).toBe(0);
  // Every byte value, also where differences overflow.
  const wild = Uint8Array.from({ length: 3073 * 2 }, (_, i) => (i * 40503) >>> 3);
  expect(Buffer.compare(unpackRecords(packRecords(wild)), wild)).toBe(0);
});

test("what is not whole records is refused", () => {
  expect(() => packRecords(new Uint8Array(3072))).toThrow(
    new RangeError("records must be a multiple of 3073 bytes, more than none, not 3072"),
  );
  expect(() => packRecords(new Uint8Array(0))).toThrow(RangeError);
  expect(() => unpackRecords(packRecords(records(2)).subarray(0, -5))).toThrow();
});
