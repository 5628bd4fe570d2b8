import { describe, expect, test } from "vitest";
import { colorKind } from "./colors.js";

const { colors, pigments } = colorKind();
const parsed = (text: string) => colors.parse(text).options;

describe("options that name the entries of a record", () => {
  test("stand beside the others in text", () => {
    expect(parsed("pigments(red=1, wet=true, green=0.5)")).toEqual({
      parts: { red: 1, green: 0.5 },
      wet: true,
    });
    expect(parsed("pigments(wet=true)")).toEqual({ wet: true });
    expect(String(pigments({ parts: { red: 1, green: 0.5 }, wet: true }))).toBe(
      "pigments(green=0.5, red=1, wet=true)",
    );
  });

  test("have quoted names where they are no words", () => {
    const parts = { "sea green": 1, 'so-called "blue"': 2, "layer*.relu": 3, "": 4, "7": 5, true: 6, é: 7 };
    const text = String(pigments({ parts }));
    expect(text).toBe(
      'pigments("7"=5, ""=4, "layer*.relu"=3, "sea green"=1, "so-called \\"blue\\""=2, true=6, "é"=7)',
    );
    expect(parsed(text)).toEqual({ parts, wet: false });
    expect(String(colors.parse(text))).toBe(text);
  });

  test("make the same value in any order, beside the options or in their record", () => {
    const texts = ["pigments(red=1, blue=2)", "pigments(blue=2, red=1)"].map((text) =>
      String(colors.parse(text)),
    );
    expect(new Set([...texts, String(pigments({ parts: { red: 1, blue: 2 } }))])).toEqual(
      new Set(["pigments(blue=2, red=1)"]),
    );
    expect(String(pigments({ red: 1, parts: { blue: 2 } } as never))).toBe("pigments(blue=2, red=1)");
  });

  test("are checked as the record is", () => {
    expect(() => colors.parse("pigments(red=-1)")).toThrow(
      'color pigments: option "parts" cannot be {"red":-1}',
    );
    expect(() => colors.parse("pigments(red=much)")).toThrow('option "parts" cannot be');
    expect(() => colors.parse("pigments(wet=very)")).toThrow('option "wet" cannot be "very"');
    expect(() => pigments({ parts: [1] } as never)).toThrow('option "parts" cannot be [1]');
    expect(() => colors.parse("pigments(parts=red)")).toThrow('option "parts" cannot be "red"');
    expect(() => colors.parse("pigments(parts=red, blue=1)")).toThrow('option "parts" cannot be "red"');
  });

  test("cannot have the names of options, which text could not tell from them", () => {
    for (const name of ["wet", "parts"]) {
      expect(() => pigments({ parts: { [name]: 1 } })).toThrow(
        `color pigments: option "parts" cannot hold the name "${name}"; use a pattern that matches it`,
      );
    }
  });

  test("are one or more, where there is a record", () => {
    expect(() => pigments({ parts: {} })).toThrow(
      'color pigments: option "parts" is empty; name an entry, or leave it out',
    );
    expect(String(pigments({ parts: undefined }))).toBe("pigments");
  });

  test("are not named twice", () => {
    expect(() => colors.parse("pigments(red=1, red=2)")).toThrow('expected option "red" only once');
    expect(() => pigments({ red: 1, parts: { red: 2 } } as never)).toThrow(
      'color pigments: "red" is named twice in option "parts"',
    );
  });

  test("may have names of Object's own, and are refused one that would change a prototype", () => {
    expect(parsed("pigments(constructor=1, toString=2)")).toEqual({
      parts: { constructor: 1, toString: 2 },
      wet: false,
    });
    expect(() => colors.parse("pigments(__proto__=1, red=1)")).toThrow('cannot hold the name "__proto__"');
    const own = JSON.parse('{"parts": {"__proto__": {"red": 1}}}');
    expect(() => pigments(own)).toThrow('cannot hold the name "__proto__"');
    expect(Object.prototype).not.toHaveProperty("red");
  });
});
