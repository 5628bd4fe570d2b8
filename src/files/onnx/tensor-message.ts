import type { OnnxTensor } from "./proto.js";
import { budgetFor, Wire } from "./wire.js";

const mostAxes = 16;

/** Reads the bytes of a lone tensor, as the tests of ONNX's operators hold them; errors as `parseOnnx`. */
export function parseOnnxTensor(bytes: Uint8Array, file: string): OnnxTensor {
  return parseTensor(new Wire(bytes, budgetFor(file)));
}

/** Fields of a tensor that hold its elements as numbers. */
const typedFields: Readonly<Record<number, "float" | "int32" | "int64" | "double">> = {
  4: "float",
  5: "int32",
  7: "int64",
  10: "double",
  11: "int64",
};

/** Reads a tensor; its elements stay bytes. */
export function parseTensor(wire: Wire): OnnxTensor {
  const shape: number[] = [];
  const external = new Map<string, string>();
  const pieces: Uint8Array[] = [];
  let raw: Uint8Array | undefined;
  let field: "float" | "int32" | "int64" | "double" | undefined;
  let [name, type, strings, elsewhere] = ["", 0, 0, false];
  while (wire.next()) {
    const typed = typedFields[wire.field];
    if (typed !== undefined) {
      if (field !== undefined && field !== typed)
        throw wire.refuse(`tensor "${name}" holds its elements twice`);
      field = typed;
      pieces.push(wire.packed());
    } else if (wire.field === 1) wire.intsInto(shape);
    else if (wire.field === 2) type = wire.int();
    else if (wire.field === 3) throw wire.refuse("a tensor comes in segments, which are not read");
    else if (wire.field === 6) strings += wire.raw().length >= 0 ? 1 : 0;
    else if (wire.field === 8) name = wire.text();
    else if (wire.field === 9) raw = wire.raw();
    else if (wire.field === 13) {
      const [key, value] = parseEntry(wire.message());
      external.set(key, value);
    } else if (wire.field === 14) elsewhere = wire.int() === 1;
    else wire.skip();
  }
  if (shape.length > mostAxes || !shape.every((side) => Number.isSafeInteger(side) && side >= 0)) {
    throw wire.refuse(`tensor "${name.slice(0, 80)}" has the shape [${shape.slice(0, 20).join(", ")}]`);
  }
  return {
    name,
    shape,
    type,
    strings,
    ...(raw === undefined ? {} : { raw }),
    ...(field === undefined ? {} : { typed: { field, pieces } }),
    ...(elsewhere ? { external } : {}),
  };
}

function parseEntry(wire: Wire): [string, string] {
  let [key, value] = ["", ""];
  while (wire.next()) {
    if (wire.field === 1) key = wire.text();
    else if (wire.field === 2) value = wire.text();
    else wire.skip();
  }
  return [key, value];
}
