import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseStrictJson, StrictJsonError } from "../../src/base/index.js";

describe("parseStrictJson", () => {
  test("gives what JSON.parse gives for any value, spaced or not", () => {
    const value = fc
      .jsonValue({ maxDepth: 4 })
      .filter((given) => !JSON.stringify(given).includes("__proto__"));
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1, "\t"), (given, space) => {
        const text = JSON.stringify(given, null, space);
        expect(parseStrictJson(text, 6)).toEqual(JSON.parse(text));
      }),
    );
  });

  test("throws nothing but StrictJsonError, whatever the text", () => {
    const pieces = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      '"',
      "\\",
      ":",
      ",",
      "a",
      "1",
      " ",
      "\n",
      '"a":',
      "\\u00",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join("");
        let parsed = true;
        try {
          JSON.parse(text);
        } catch {
          parsed = false;
        }
        try {
          parseStrictJson(text, 4);
          expect(parsed).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(StrictJsonError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("lets a key recur in another object", () => {
    expect(parseStrictJson('[{"a":{"a":1}},{"a":"a"}]', 3)).toEqual([{ a: { a: 1 } }, { a: "a" }]);
  });

  test.each([
    ['{"a":1,"b":2,"a":3}', 'the key "a" occurs twice'],
    ['{"a":{},"b":[],"a":3}', 'the key "a" occurs twice'],
    ['{"__proto__":1}', 'the key "__proto__" is not allowed'],
    ['{"\\u005f_proto__"\n:1}', 'the key "__proto__" is not allowed'],
    ["[[[[]]]]", "it is nested deeper than 3 levels"],
    ['"', "it ends inside a string"],
  ])("refuses %s", (text, message) => {
    expect(() => parseStrictJson(text, 3)).toThrow(new StrictJsonError(message));
  });
});
