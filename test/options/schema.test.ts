import { describe, expect, expectTypeOf, it } from "vitest";
import * as z from "zod";
import { describeOptions, optionShape } from "../../src/options/describe.js";
import { parseRatio, ratio } from "../../src/options/ratio.js";
import { parseOptions } from "../../src/options/schema.js";
import { readText } from "../../src/options/text.js";

const schema = z.strictObject({
  epsilon: ratio({ min: 0, max: 1 }).describe("radius of the ball").default(0.3),
  steps: z.int().min(1).default(7),
  norm: z.enum(["linf", "l2"]).default("linf"),
  layers: z.array(z.string()).default([]),
  name: z.string(),
});

describe("parseOptions", () => {
  it("fills in defaults and reads fractions", () => {
    const options = parseOptions("attack", "pgd", schema, { epsilon: "8/255", name: "x" });
    expect(options).toEqual({ epsilon: 8 / 255, steps: 7, norm: "linf", layers: [], name: "x" });
    expectTypeOf(options.epsilon).toEqualTypeOf<number>();
    expect(JSON.parse(JSON.stringify(options))).toEqual(options);
  });

  it("has one line for every fault", () => {
    const given = { epsilom: 1, epsilon: 2, steps: 1.5, norm: "l3", layers: ["a", 4, 5] };
    expect(() => parseOptions("attack", "pgd", schema, given)).toThrowErrorMatchingInlineSnapshot(`
      [RangeError: attack pgd: option "epsilon" cannot be 2; accepted: a number in [0, 1]
      attack pgd: option "steps" cannot be 1.5; accepted: a whole number of at least 1
      attack pgd: option "norm" cannot be "l3"; accepted: linf | l2
      attack pgd: option "layers" cannot be ["a", 4, 5]; accepted: a list of: text
      attack pgd: option "name" is missing; accepted: text
      attack pgd: unknown option "epsilom"; did you mean "epsilon"?
      attack pgd: options: epsilon=0.3, steps=7, norm=linf, layers=[], name (required)]
    `);
  });

  it("tells what a missing text is, not that it is text", () => {
    const named = z.strictObject({ out: z.string().describe("file to write") });
    expect(() => parseOptions("command", "export", named, {})).toThrow(
      'command export: option "out" is missing: file to write',
    );
  });

  it("tells that a text must not be empty", () => {
    const folder = z.strictObject({ runs: z.string().min(1).default("runs") });
    expect(() => parseOptions("command", "train", folder, { runs: "" })).toThrow(
      'option "runs" cannot be ""; accepted: text that is not empty',
    );
  });

  it.each([
    ["eps", "epsilon"],
    ["max_eps", "epsilon"],
    ["nb_iter", "steps"],
    ["iters", "steps"],
    ["iterations", "steps"],
    ["ord", "norm"],
  ])("suggests for another library's %s our %s", (given, ours) => {
    expect(() => parseOptions("attack", "pgd", schema, { name: "x", [given]: 1 })).toThrow(
      `unknown option "${given}"; did you mean "${ours}"?`,
    );
  });

  it("suggests no other library's word for an option that is not there", () => {
    const own = z.strictObject({ epsilon: z.number().default(0.3), stepSize: z.number().default(0.1) });
    expect(() => parseOptions("attack", "own", own, { alpha: 1 })).toThrow('did you mean "stepSize"?');
    expect(() => parseOptions("attack", "own", own, { kappa: 1 })).toThrow(/unknown option "kappa"\n/);
  });

  it("suggests kappa for the confidence of Carlini and Wagner's attacks", () => {
    const own = z.strictObject({ kappa: z.number().default(0), steps: z.int().default(10) });
    expect(() => parseOptions("attack", "own", own, { confidence: 1 })).toThrow('did you mean "kappa"?');
  });

  it.each([
    [null, "null"],
    [[], "a list"],
    ["steps=7", 'string "steps=7"'],
  ])("refuses %j for options", (given, shown) => {
    expect(() => parseOptions("attack", "pgd", schema, given)).toThrow(TypeError);
    expect(() => parseOptions("attack", "pgd", schema, given)).toThrow(
      `attack pgd: options must be an object such as { epsilon: 0.3 }, given ${shown}`,
    );
  });

  it("says that a whole number is too large to be exact", () => {
    const counted = z.strictObject({ seed: z.int().min(0).default(0) });
    expect(() => parseOptions("attack", "pgd", counted, { seed: 2 ** 53 })).toThrow(
      'attack pgd: option "seed" cannot be 9007199254740992; accepted: a whole number of at least 0, below 2^53',
    );
  });

  it("says of what a whole number must be a multiple", () => {
    const pairs = z.strictObject({
      samples: z.int().min(2).multipleOf(2),
      tiles: z.int().multipleOf(5).optional(),
    });
    expect(() => parseOptions("attack", "nes", pairs, { samples: 3, tiles: 7 })).toThrow(
      'attack nes: option "samples" cannot be 3; accepted: an even number of at least 2\n' +
        'attack nes: option "tiles" cannot be 7; accepted: a multiple of 5',
    );
  });

  it("shows the reason of checks written by hand", () => {
    const pair = z
      .strictObject({ low: z.number().refine((x) => x % 2 === 0, "must be even"), high: z.number() })
      .refine(({ low, high }) => low < high, "low must be below high");
    expect(() => parseOptions("range", "r", pair, { low: 3, high: 4 })).toThrow(
      'range r: option "low" cannot be 3: must be even',
    );
    expect(() => parseOptions("range", "r", pair, { low: 4, high: 2 })).toThrow(
      "range r: low must be below high",
    );
  });
});

describe("describeOptions", () => {
  it("says name, type, default and description, wherever the description was put", () => {
    const rows = describeOptions(
      schema.extend({ attack: z.string().meta({ accepted: "an attack" }).transform(String).optional() }),
    );
    expect(rows[0]).toEqual({
      name: "epsilon",
      type: "a number in [0, 1]",
      default: "0.3",
      required: false,
      description: "radius of the ball",
    });
    expect(rows.map((row) => row.required)).toEqual([false, false, false, false, true, false]);
    expect(rows.at(-1)).toMatchObject({ type: "an attack", default: undefined });
  });
});

describe("ratio", () => {
  it.each([
    ["0.3", 0.3],
    ["8/255", 8 / 255],
    ["1e-3", 0.001],
    [" -1/2 ", -0.5],
    [".5", 0.5],
    ["+2", 2],
    ["", undefined],
    ["1/0", undefined],
    ["0/0", undefined],
    ["1/2/3", undefined],
    ["0x10", undefined],
    ["Infinity", undefined],
    ["7 apples", undefined],
  ])("reads %j as %j", (text, value) => expect(parseRatio(text)).toBe(value));

  it("keeps its bounds", () => {
    const open = ratio({ above: 0, below: 1 });
    expect(["0", "1/2", "1", "x", Number.NaN, true].map((given) => open.safeParse(given).success)).toEqual([
      false,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe("readText", () => {
  it("reads text as what the option takes", () => {
    const read = (field: z.ZodType, text: string) => readText(optionShape(field), text);
    expect(read(z.number(), "8/255")).toBe(8 / 255);
    expect(read(z.int(), "seven")).toBe("seven");
    expect(read(z.string(), "7")).toBe("7");
    expect(read(z.boolean(), "false")).toBe(false);
    expect(read(z.union([z.boolean(), z.enum(["none"])]), "none")).toBe("none");
    expect(read(z.union([z.boolean(), z.string()]), "true")).toBe(true);
    expect(read(z.int().nullable(), "none")).toBe(null);
  });
});
