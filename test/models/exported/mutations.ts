import { readFileSync } from "node:fs";
import { encodeStoredZip } from "../../../src/files/archives/zip-writer.js";
import { readStoredZip } from "../../../src/files/index.js";
import { fixture } from "./fixtures.js";

/** Random numbers in [0, 1) of a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Values that a careless reader falls over. */
const hostile: readonly string[] = [
  "-1",
  "0",
  "1",
  "3",
  "2147483648",
  "4294967296",
  "9007199254740993",
  "9223372036854775807",
  "-9223372036854775808",
  "1e308",
  "0.5",
  "null",
  "true",
  '"x"',
  "[]",
  "{}",
  '"Infinity"',
];

const operators: readonly string[] = [
  "aten.as_strided.default",
  "aten.set_.source_Tensor",
  "aten.from_file.default",
  "aten.resize_.default",
  "aten.add.Tensor",
  "aten.matmul.default",
  "aten.conv2d.default",
  "aten.expand.default",
  "aten.repeat.default",
  "aten.index.Tensor",
  "aten.cat.default",
  "aten.transpose.int",
  "aten._softmax.default",
  "aten.zeros.default",
  "aten.full.default",
  "aten.native_layer_norm.default",
  "aten.round_.default",
  "aten.constructor.default",
  "higher_order.cond",
];

/** Changes JSON text in one place: a number, a name, an operator, or a part that is left out. */
function changedJson(text: string, random: () => number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const kind = random();
  const pattern =
    kind < 0.55
      ? /-?\b\d+(\.\d+)?\b/g
      : kind < 0.75
        ? /"torch\.ops\.[^"]+"/g
        : kind < 0.95
          ? /"[a-z_0-9.]+"/g
          : /[{}[\],:]/g;
  const places = [...text.matchAll(pattern)];
  if (places.length === 0) return text;
  const place = pick(places);
  const by =
    kind < 0.55
      ? pick(hostile)
      : kind < 0.75
        ? `"torch.ops.${pick(operators)}"`
        : kind < 0.95
          ? pick(places)[0]
          : "";
  return text.slice(0, place.index) + by + text.slice(place.index + place[0].length);
}

/** Bytes with some of them changed. */
function changedBytes(bytes: Uint8Array, random: () => number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  for (let i = 0; i < 1 + random() * 4; i++)
    changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256);
  return random() < 0.2 ? changed.subarray(0, Math.floor(random() * changed.length)) : changed;
}

const originals = ["layers", "transformer", "noisy", "eight-bits", "plain", "decomposed"].map((name) => {
  const bytes = readFileSync(fixture(name));
  return { bytes, files: readStoredZip(bytes, name) };
});

/** An archive with one to three faults: most in its JSON or its numbers, some in the archive itself. */
export function mutated(seed: number): Uint8Array {
  const random = randomOf(seed);
  const { bytes, files } = originals[seed % originals.length]!;
  if (random() < 0.1) return changedBytes(bytes, random);
  const changed = new Map(files);
  const names = [...files.keys()].filter((name) => !name.includes("sample_inputs"));
  for (let fault = 0; fault < 1 + random() * 2; fault++) {
    const wanted = random() < 0.7 ? /models\/.*json$/ : random() < 0.6 ? /config\.json$/ : /./;
    const chosen = names.filter((name) => wanted.test(name));
    const name = chosen[Math.floor(random() * chosen.length)]!;
    const content = changed.get(name);
    if (content === undefined) continue;
    if (random() < 0.02) changed.delete(name);
    else if (name.endsWith(".json"))
      changed.set(name, Buffer.from(changedJson(Buffer.from(content).toString(), random)));
    else changed.set(name, changedBytes(content, random));
  }
  return encodeStoredZip(changed);
}
