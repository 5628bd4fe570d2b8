import type { DType } from "../../engine/index.js";
import { Pt2Problem, wholeAt } from "./fields.js";

/** Element types by the numbers of the format (ScalarType in torch/_export/serde/schema.py). */
const elementTypes: ReadonlyMap<number, DType> = new Map([
  [1, "uint8"],
  [2, "int8"],
  [3, "int16"],
  [4, "int32"],
  [5, "int64"],
  [6, "float16"],
  [7, "float32"],
  [8, "float64"],
  [12, "bool"],
  [13, "bfloat16"],
]);

/** Element type at a place of the JSON. */
export function elementTypeAt(value: unknown, place: string): DType {
  const code = wholeAt(value, place);
  const type = elementTypes.get(code);
  if (type !== undefined) return type;
  throw new Pt2Problem(
    `${place} has element type ${code} (complex, float8 or unsigned, maybe), which is not read: ` +
      `read are ${[...elementTypes.values()].join(", ")}`,
  );
}
