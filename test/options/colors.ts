import * as z from "zod";
import { type Definition, Kind, ratio, type Value } from "../../src/options/index.js";

/** Color: red, green and blue in [0, 1]. */
export interface Color {
  readonly rgb: readonly number[];
}

/** New kind of things, for tests of kinds. */
export function colorKind() {
  const colors = new Kind<Color>("color", "gray(level=0.5)");

  const gray = colors.define("gray", {
    summary: "as much of each",
    options: z.strictObject({
      level: ratio({ min: 0, max: 1 }).default(0.5).describe("share of white"),
      name: z.string().optional().describe("name on the tube"),
      matt: z.boolean().default(false).describe("without gloss"),
      coats: z.int().min(1).default(2).describe("layers of paint"),
      finish: z.enum(["none", "oil", "wax"]).default("none").describe("last layer"),
      tags: z.array(z.string()).default([]).describe("words to find it by"),
      under: z.array(z.array(z.number())).default([]).describe("numbers of the layers below"),
    }),
    create: ({ level }): Color => ({ rgb: [level, level, level] }),
  });

  /** Mixture of named pigments: `pigments(red=1, "sea green"=2, wet=true)`. */
  const pigments = colors.define("pigments", {
    summary: "pigments by name",
    options: z.strictObject({
      parts: z.record(z.string(), z.number().min(0)).optional().describe("parts of each pigment"),
      wet: z.boolean().default(false).describe("before it dries"),
    }),
    spread: "parts",
    create: ({ parts = {} }): Color => ({ rgb: Object.values(parts) }),
  });

  const mix = colors.defineCombinator("mix", {
    summary: "the mean of colors",
    options: z.strictObject({ gamma: z.number().min(0).default(1).describe("exponent of light") }),
    takes: "one color or more",
    create(_, inside): Color {
      if (inside.length === 0) throw new RangeError("color mix: needs one color or more inside it, given 0");
      return { rgb: [0, 1, 2].map((i) => inside.reduce((sum, { rgb }) => sum + rgb[i]!, 0) / inside.length) };
    },
  });

  const framed = colors.define("framed", {
    summary: "a color behind another",
    options: z.strictObject({
      frame: colors
        .option()
        .default(() => gray())
        .describe("color of the frame"),
      panes: z.array(colors.option()).default([]).describe("colors of the panes"),
    }),
    create: ({ frame }): Color => ({ rgb: frame.rgb }),
  });

  const all: readonly Definition<Color & Value>[] = [gray, pigments, mix, framed];
  colors.register(...all);
  return { colors, gray, pigments, mix, framed };
}
