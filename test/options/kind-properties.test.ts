import fc from "fast-check";
import { expect, test } from "vitest";
import { type Call, formatCall } from "../../src/options/index.js";
import { colorKind } from "./colors.js";

const { colors, gray, pigments, mix, framed } = colorKind();

/** Numbers that text keeps to the bit; those near a gray level become it. */
const number = (min: number, max: number) =>
  fc.oneof(
    fc.double({ min, max, noNaN: true }).filter((x) => !Object.is(x, -0) && !isNearLevel(x)),
    fc.integer({ min: Math.ceil(255 * min), max: Math.floor(255 * max) }).map((level) => level / 255 + 0),
  );
const isNearLevel = (x: number) => Math.abs(x - Math.round(x * 2550) / 2550) <= 1e-12;
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("true", "false", "8/255", "", "a()"),
);

const grays = fc
  .record(
    {
      level: number(0, 1),
      name: text,
      matt: fc.boolean(),
      coats: fc.integer({ min: 1, max: 5 }),
      finish: fc.constantFrom("none", "oil", "wax"),
      tags: fc.array(text, { maxLength: 3 }),
      under: fc.array(fc.array(number(-2, 2), { maxLength: 2 }), { maxLength: 2 }),
    },
    { requiredKeys: [] },
  )
  .map(gray);

const names = text.filter((name) => !["parts", "wet", "__proto__"].includes(name));
const mixtures = fc
  .record(
    { parts: fc.dictionary(names, number(0, 9), { minKeys: 1, noNullPrototype: true }), wet: fc.boolean() },
    { requiredKeys: [] },
  )
  .map(pigments);

const values = fc.letrec((tie) => ({
  plain: fc.oneof(grays, mixtures),
  mixed: fc
    .tuple(
      fc.array(tie("any"), { minLength: 1, maxLength: 3 }),
      fc.record({ gamma: number(0, 3) }, { requiredKeys: [] }),
    )
    .map(([inside, options]) => mix(inside as never, options)),
  framed: fc
    .record({ frame: tie("any"), panes: fc.array(tie("any"), { maxLength: 2 }) }, { requiredKeys: [] })
    .map((options) => framed(options as never)),
  any: fc.oneof({ depthSize: "small" }, tie("plain"), tie("mixed"), tie("framed")),
})).any as fc.Arbitrary<ReturnType<typeof gray>>;

test("a value's text gives back its options, its text and what it does", () => {
  fc.assert(
    fc.property(values, (value) => {
      const read = colors.parse(String(value));
      expect(String(read)).toBe(String(value));
      expect(read.call).toEqual(value.call);
      expect(JSON.stringify(read.options)).toBe(JSON.stringify(value.options));
      expect(read.inside.map(String)).toEqual(value.inside.map(String));
      expect(read.rgb).toEqual(value.rgb);
    }),
  );
});

test("a value's call, through JSON, and its options give the same value", () => {
  fc.assert(
    fc.property(values, (value) => {
      const call = JSON.parse(JSON.stringify(value.call)) as Call;
      expect(String(colors.parse(call))).toBe(String(value));
      expect(formatCall(call.name, call.options, call.of)).toBe(String(value));
      expect(String(colors.definition(value.name).make(value.options, value.inside as never))).toBe(
        String(value),
      );
    }),
  );
});

test("options that are the defaults are not in the text, all others are", () => {
  const defaults = gray().options;
  fc.assert(
    fc.property(grays, ({ options, call }) => {
      const changed = Object.entries(options).filter(
        ([name, option]) => option !== undefined && JSON.stringify(option) !== JSON.stringify(defaults[name]),
      );
      expect(call.options).toEqual(Object.fromEntries(changed));
    }),
  );
});

test("any text is read or refused by a RangeError", () => {
  const marks = fc.constantFrom(
    "gray",
    "mix",
    "pigments",
    "(",
    ")",
    "[",
    "]",
    "=",
    ",",
    '"',
    "\\",
    "level",
    "8/255",
    " ",
  );
  const texts = fc.oneof(
    fc.string(),
    fc.array(marks, { maxLength: 12 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(texts, (given) => {
      try {
        expect(colors.is(colors.parse(given))).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 1000 },
  );
});
