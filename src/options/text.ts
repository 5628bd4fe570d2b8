import type { OptionShape } from "./describe.js";
import { parseRatio } from "./ratio.js";

/**
 * The value that text from a flag or a file stands for, given what the option takes: "8/255" is a number
 * where a number belongs and text where text does. What cannot be read stays text, for the schema to refuse.
 */
export function readText(shape: OptionShape, text: string): unknown {
  if (shape.anyOf !== undefined) return readAny(shape.anyOf, text);
  if (shape.type === "number" || shape.type === "integer") return parseRatio(text) ?? text;
  if (shape.type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  if (shape.type === "null") return text === "none" ? null : text;
  return text;
}

function readAny(shapes: readonly OptionShape[], text: string): unknown {
  if (shapes.some((shape) => shape.enum?.includes(text) === true)) return text;
  for (const shape of shapes) {
    const value = readText(shape, text);
    if (value !== text) return value;
  }
  return text;
}
