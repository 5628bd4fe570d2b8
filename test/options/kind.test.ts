import { describe, expect, expectTypeOf, test } from "vitest";
import * as z from "zod";
import { Kind, parseOptions } from "../../src/options/index.js";
import { colorKind } from "./colors.js";

const { colors, gray, pigments, mix, framed } = colorKind();
const sounds = new Kind<{ pitch: number }>("sound", "beep(pitch=440)");
const beep = sounds.define("beep", {
  summary: "one tone",
  options: z.strictObject({ pitch: z.number().default(440) }),
  create: ({ pitch }) => ({ pitch }),
});
sounds.register(beep);

describe("a value", () => {
  test("has the thing's own fields, all options, and a text of those that differ from the defaults", () => {
    const value = gray({ level: "51/255", coats: 3 });
    expect(value.rgb).toEqual([0.2, 0.2, 0.2]);
    expect(value.options).toEqual({ level: 0.2, coats: 3, matt: false, finish: "none", tags: [], under: [] });
    expect([String(value), value.name, value.kind]).toEqual(["gray(level=0.2, coats=3)", "gray", "color"]);
    expect(value.call).toEqual({ name: "gray", options: { level: 0.2, coats: 3 } });
    expectTypeOf(value.name).toEqualTypeOf<"gray">();
  });

  test("of default options is written as its name, whether they were given or not", () => {
    expect(String(gray())).toBe("gray");
    expect(String(gray({ level: 0.5, coats: 2, tags: [], finish: "none" }))).toBe("gray");
    expect(String(colors.parse("gray()"))).toBe("gray");
  });

  test("has the same text whatever the order of its options", () => {
    expect(String(gray({ coats: 3, level: 0.2 }))).toBe(String(gray({ level: 0.2, coats: 3 })));
    expect(String(colors.parse("gray(coats=3, level=0.2)"))).toBe("gray(level=0.2, coats=3)");
  });

  test("is its text in JSON, and one again by it", () => {
    const json = JSON.stringify({
      wall: gray({ level: 8 / 255 }),
      others: [mix([gray(), gray({ matt: true })])],
    });
    expect(json).toBe('{"wall":"gray(level=8/255)","others":["mix(gray(), gray(matt=true))"]}');
    expect(colors.parse(JSON.parse(json).wall).options.level).toBe(8 / 255);
  });

  test("cannot be given another name, options or identity", () => {
    const value = gray() as { name: string; call: unknown; options: unknown };
    expect(() => Object.assign(value, { name: "black" })).toThrow(TypeError);
    expect(() => Object.assign(value, { call: { name: "black", options: {} } })).toThrow(TypeError);
  });
});

describe("a kind", () => {
  test("takes a value as it is, its text, and its call", () => {
    const value = gray({ coats: 3 });
    expect(colors.of(value)).toBe(value);
    expect(String(colors.of("gray(coats=3)"))).toBe(String(value));
    expect(String(colors.of(value.call))).toBe(String(value));
    expect([colors.is(value), colors.is("gray"), colors.is(beep()), colors.is(null)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test("refuses a value of another kind, and what is none", () => {
    expect(() => colors.of(beep({ pitch: 3 }) as never)).toThrow(
      new TypeError('color must be a color such as "gray(level=0.5)", not the sound beep(pitch=3)'),
    );
    expect(() => colors.of(5 as never, "the wall")).toThrow(
      new TypeError('the wall must be a color such as "gray(level=0.5)", not 5'),
    );
    expect(() => colors.of({ name: "gray" } as never)).toThrow(TypeError);
    expect(() => colors.parse({ name: "gray", options: {}, of: 5 } as never)).toThrow(TypeError);
    expect(() => colors.parse(undefined as never)).toThrow('color must be text such as "gray(level=0.5)"');
  });

  test("suggests the nearest of its names and lists all", () => {
    expect(() => colors.parse("grey(level=0.1)")).toThrow(
      new RangeError('unknown color "grey"; did you mean "gray"? known: gray, pigments, mix, framed'),
    );
    expect(() => colors.definition("white")).toThrow(RangeError);
    expect([colors.has("gray"), colors.has("grey"), colors.has("__proto__")]).toEqual([true, false, false]);
  });

  test("says which options a thing has", () => {
    expect(() => colors.parse("gray(lvel=0.1)")).toThrow(
      'color gray: unknown option "lvel"; did you mean "level"?',
    );
    expect(() => gray({ level: 2 })).toThrow(
      'color gray: option "level" cannot be 2; accepted: a number in [0, 1]',
    );
    expect(() => gray("level=2" as never)).toThrow(TypeError);
  });

  test("refuses an unknown option of a schema that would drop it", () => {
    const loose = colors.define("loose", {
      summary: "from outside, with z.object",
      options: z
        .object({ level: z.number().default(1) })
        .refine(({ level }) => level > 0, "level must be above 0"),
      create: () => ({ rgb: [] }),
    });
    expect(() => loose({ levl: 2 } as never)).toThrow('color loose: unknown option "levl"');
    expect(() => loose({ level: -1 })).toThrow("color loose: level must be above 0");
    expect(String(loose({ level: 2 }))).toBe("loose(level=2)");
  });

  test("takes names that text can hold, and schemas", () => {
    const parts = { summary: "", options: z.strictObject({}), create: () => ({ rgb: [] }) };
    for (const name of ["two words", "", "7up", "a(b)", 5 as never]) {
      expect(() => colors.define(name, parts)).toThrow(
        "a color is named by letters, digits, _, . and -, not",
      );
    }
    expect(() => colors.define("schemaless", { ...parts, options: {} as never })).toThrow(TypeError);
  });

  test.each<[object, string]>([
    [{ summary: undefined }, "color mine: summary must be a line of text, not undefined"],
    [{ create: undefined }, "color mine: create must be a function of the options, not undefined"],
    [{ options: {} }, "color mine: options must be a schema such as z.strictObject({ ... }), not an object"],
    [
      {
        options: z.strictObject({
          coats: z
            .int()
            .min(1)
            .default("three" as never)
            .describe("coats"),
        }),
      },
      'color mine: coats: the default "three" must be a whole number of at least 1',
    ],
    [
      { options: z.strictObject({ level: z.number().max(1).default(2) }) },
      "color mine: level: the default 2 must be a number of at most 1",
    ],
  ])("names the part that a definition has wrong: %o", (mistake, message) => {
    const parts = { summary: "", options: z.strictObject({}), create: () => ({ rgb: [] }), ...mistake };
    expect(() => colors.define("mine", parts as never)).toThrow(message);
  });

  test("takes a new thing for each value", () => {
    const parts = { summary: "", options: z.strictObject({}) };
    const message = "color shared: create must return an object or a function, a new one each time";
    for (const thing of [gray(), undefined, 5]) {
      expect(() => colors.define("shared", { ...parts, create: () => thing as never })()).toThrow(message);
    }
    const same = { rgb: [1, 1, 1] };
    const shared = colors.define("shared", { ...parts, create: () => same });
    expect(shared().rgb).toEqual([1, 1, 1]);
    expect(() => shared()).toThrow(message);
  });
});

describe("registering", () => {
  const parts = { summary: "from outside", options: z.strictObject({}), create: () => ({ rgb: [1, 0, 0] }) };
  const red = colors.define("red", parts);

  test("makes a thing known by its name until it is forgotten", () => {
    expect(() => colors.parse("red")).toThrow(RangeError);
    const forget = colors.register(red);
    expect(colors.parse("red").rgb).toEqual([1, 0, 0]);
    expect(colors.definitions.at(-1)).toBe(red);
    forget();
    expect(() => colors.parse("red")).toThrow(RangeError);
  });

  test("refuses a name twice, other kinds and what is no definition, and then knows none of them", () => {
    const taken = colors.define("gray", parts);
    expect(() => colors.register(red, taken)).toThrow(
      new RangeError('color "gray" is registered already: choose another name'),
    );
    expect(() => colors.register(red, red)).toThrow(RangeError);
    expect(() => colors.register(red, beep as never)).toThrow(
      new TypeError('colors.register takes definitions of the kind "color", given the sound "beep"'),
    );
    for (const wrong of [undefined, null, "red", {}, () => 5, gray()]) {
      expect(() => colors.register(red, wrong as never)).toThrow(
        'takes definitions of the kind "color", given',
      );
    }
    expect(colors.has("red")).toBe(false);
    expect(colors.parse("gray").rgb).toEqual([0.5, 0.5, 0.5]);
  });
});

describe("a combinator", () => {
  test("is written around what it is made of, which may be text", () => {
    const value = mix([gray(), "gray(level=1)", mix(gray({ level: 0 }))], { gamma: 2 });
    expect(String(value)).toBe("mix(gray(), gray(level=1), mix(gray(level=0)), gamma=2)");
    expect(value.rgb).toEqual([0.5, 0.5, 0.5]);
    expect(value.inside.map(String)).toEqual(["gray", "gray(level=1)", "mix(gray(level=0))"]);
    const read = colors.parse(String(value));
    expect([String(read), read.rgb]).toEqual([String(value), value.rgb]);
  });

  test("takes values of its kind alone, and others take none", () => {
    expect(() => mix(beep() as never)).toThrow(
      'color mix: the color inside it must be a color such as "gray(level=0.5)", not the sound beep',
    );
    expect(() => mix(undefined as never)).toThrow("not undefined");
    expect(() => mix([])).toThrow("needs one color or more inside it, given 0");
    expect(() => colors.parse("gray(gray())")).toThrow("color gray: takes options such as a=1, given gray()");
  });
});

describe("an option that takes a value", () => {
  test("takes the value, its text and its call, and is written as the call", () => {
    const value = framed({ frame: gray({ level: 0, coats: 1 }), panes: ["gray(matt=true)", mix([gray()])] });
    expect(String(value)).toBe("framed(frame=gray(level=0, coats=1), panes=[gray(matt=true), mix(gray())])");
    expect(value.rgb).toEqual([0, 0, 0]);
    const read = colors.parse(String(value));
    expect([String(read), read.rgb]).toEqual([String(value), value.rgb]);
    expect(String(colors.parse('framed(frame="gray(level=0)")'))).toBe("framed(frame=gray(level=0))");
  });

  test("is left out of the text where it is the default", () => {
    expect(String(framed())).toBe("framed");
    expect(String(framed({ frame: gray({ level: 0.5 }) }))).toBe("framed");
  });

  test("says what is wrong with it, and what it takes", () => {
    expect(() => framed({ frame: "grey" })).toThrow(
      'color framed: option "frame" cannot be "grey": unknown color',
    );
    expect(() => framed({ frame: beep() as never })).toThrow("not the sound beep");
    const needed = z.strictObject({ wall: colors.option() });
    expect(() => parseOptions("room", "hall", needed, {})).toThrow(
      'room hall: option "wall" is missing; accepted: a color such as gray(level=0.5)',
    );
  });
});

test("text that would reach a prototype, or nests too deep, is refused by what it says", () => {
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    expect(() => colors.parse(name)).toThrow(`unknown color "${name}"`);
    expect(() => colors.parse(`gray(${name}=1)`)).toThrow(`color gray: unknown option "${name}"`);
  }
  expect(() => pigments(Object.fromEntries([["__proto__", 1]]) as never)).toThrow("__proto__");
  expect(() => colors.parse("mix(".repeat(100))).toThrow("at most 32 levels");
  expect(Object.prototype).not.toHaveProperty("rgb");
});
