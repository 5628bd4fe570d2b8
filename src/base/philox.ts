/** A 64-bit seed as two unsigned 32-bit words. */
export type Seed = { readonly low: number; readonly high: number };

/** The four counter words or four output words of one Philox block, each an unsigned 32-bit integer. */
export type PhiloxBlock = readonly [number, number, number, number];

const rounds = 10;
const multiplier0 = 0xd2511f53;
const multiplier1 = 0xcd9e8d57;
const weyl0 = 0x9e3779b9;
const weyl1 = 0xbb67ae85;

/** The high 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  // Each of these sums stays under 2^33, so a double holds it exactly.
  const carry = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/**
 * One block of Philox-4x32-10: four words that look random, a pure function of counter and key.
 *
 * Words are taken modulo 2^32. The native kernels compute the same function.
 * Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3.
 */
export function philox4x32(counter: PhiloxBlock, key: readonly [number, number]): PhiloxBlock {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(multiplier0, c0);
    const low0 = Math.imul(multiplier0, c0) >>> 0;
    const high1 = multiplyHigh(multiplier1, c2);
    const low1 = Math.imul(multiplier1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + weyl0) >>> 0;
    k1 = (k1 + weyl1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/**
 * Identity of noise: a stream (a layer or a purpose), a draw, and the id of an image; each in 0 .. 2^32 -
 * 1.
 */
export type NoiseKey = { readonly stream: number; readonly draw: number; readonly image: number };

function checkCount(name: string, value: number, limit: number): void {
  if (typeof value !== "number") throw new TypeError(`${name} must be a number, not ${typeof value}`);
  if (!Number.isInteger(value) || value < 0 || value >= limit) {
    throw new RangeError(`${name} must be an integer in [0, ${limit - 1}], not ${value}`);
  }
}

/** The words of a noise key in the order of the counter, with the block's number before them. */
function blockOf(seed: Seed, { stream, draw, image }: NoiseKey, block: number): PhiloxBlock {
  checkCount("stream", stream, 2 ** 32);
  checkCount("draw", draw, 2 ** 32);
  checkCount("image", image, 2 ** 32);
  return philox4x32([block, image, draw, stream], [seed.low, seed.high]);
}

/**
 * The counted uniform number in [0, 1) of one element: the readable reference of what the native kernels
 * compute.
 *
 * Key = the seed (low word, high word); counter = (floor(element / 4), image, draw, stream); the uniform is
 * the upper 24 bits of word `element % 4`, times 2^-24, so that float32 holds it exactly. `element` is the
 * index inside the image's activation, in [0, 2^34).
 */
export function countedUniform(seed: Seed, key: NoiseKey, element: number): number {
  checkCount("element", element, 2 ** 34);
  return (blockOf(seed, key, Math.floor(element / 4))[element % 4]! >>> 8) * 2 ** -24;
}

/**
 * The uniform number in (0, 1) by which stochastic rounding decides about one of an image's `elements`
 * elements: the readable reference of what the native kernels compute.
 *
 * Rounding is content with 16 bits, so that each word serves two elements: with L = 4 ceil(elements / 8),
 * element e below L has the low half of word e % 4 of block floor(e / 4), element L + e the high half; the
 * uniform is (half + 1/2) 2^-16.
 */
export function roundingUniform(seed: Seed, key: NoiseKey, element: number, elements: number): number {
  checkCount("elements", elements, 2 ** 34);
  checkCount("element", element, elements);
  const lowElements = 4 * Math.ceil(elements / 8);
  const place = element % lowElements;
  const word = blockOf(seed, key, Math.floor(place / 4))[place % 4]!;
  return ((element < lowElements ? word & 0xffff : word >>> 16) + 0.5) * 2 ** -16;
}
