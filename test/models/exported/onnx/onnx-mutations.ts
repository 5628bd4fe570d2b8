import { readFileSync } from "node:fs";
import { varint } from "../../../files/onnx/onnx-bytes.js";
import { randomOf } from "../mutations.js";
import { onnxFile } from "./fixtures.js";

const originals = [
  "layers-13",
  "layers-20",
  "transformer-17",
  "transformer-20",
  "mnist-int8",
  "mnist-integers",
  "layers-13-optimized",
  "bytes",
  "noisy",
].map((name) => readFileSync(onnxFile(name)));

/** Operators of another number of inputs, or whose output may be large. */
const operators = [
  "Add",
  "Tile",
  "Expand",
  "Range",
  "Pad",
  "Resize",
  "MatMul",
  "ConstantOfShape",
  "Reshape",
  "Gather",
  "Loop",
  "ScatterND",
  "TopK",
  "OneHot",
];

const large = [0n, -1n, 1n, 7n, 255n, 65_536n, 2n ** 31n, 2n ** 40n, 2n ** 62n, -(2n ** 63n)];

/** Place of a length-delimited field of some bytes in a message, where its header is one byte of length. */
function fieldsOf(bytes: Uint8Array): number[] {
  const places: number[] = [];
  for (let i = 0; i + 2 < bytes.length; i++) {
    const [key, length] = [bytes[i]!, bytes[i + 1]!];
    if ((key & 7) === 2 && key >> 3 > 0 && key >> 3 < 24 && length > 0 && i + 2 + length <= bytes.length)
      places.push(i);
  }
  return places;
}

/** A model with one to four faults: bytes, integers, whole fields, operators' names, or its end. */
export function mutatedOnnx(seed: number): Uint8Array {
  const random = randomOf(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  let bytes: Uint8Array = Uint8Array.from(originals[seed % originals.length]!);
  const replace = (start: number, end: number, by: ArrayLike<number>) => {
    bytes = Uint8Array.from([...bytes.subarray(0, start), ...Array.from(by), ...bytes.subarray(end)]);
  };
  for (let fault = 0; fault < 1 + random() * 3; fault++) {
    const kind = random();
    const at = Math.floor(random() * bytes.length);
    if (kind < 0.35) bytes[at] = Math.floor(random() * 256);
    else if (kind < 0.5) bytes[at] = pick([0, 1, 2, 0x7f, 0x80, 0xff]);
    else if (kind < 0.6) replace(at, at + 1, varint(pick(large)));
    else if (kind < 0.75) {
      const place = pick(fieldsOf(bytes));
      const other = pick(fieldsOf(bytes));
      const end = (start: number) => start + 2 + bytes[start + 1]!;
      // A field of its own length in the place of another keeps the messages around it whole.
      if (bytes[place + 1] === bytes[other + 1]) bytes.set(bytes.slice(other, end(other)), place);
    } else if (kind < 0.9) {
      // The name of an operator: field 4 of a node.
      const places = fieldsOf(bytes).filter((start) => bytes[start] === 0x22);
      if (places.length > 0) {
        const place = pick(places);
        const name = pick(operators.filter((one) => one.length === bytes[place + 1]));
        if (name !== undefined) bytes.set(Buffer.from(name), place + 2);
      }
    } else if (kind < 0.97) {
      // A packed integer or a dimension: eight bytes of a shape, or of raw data.
      for (let k = 0; k < 8 && at + k < bytes.length; k++) bytes[at + k] = Math.floor(random() * 256);
    } else bytes = bytes.subarray(0, at);
    if (bytes.length === 0) break;
  }
  return bytes;
}
