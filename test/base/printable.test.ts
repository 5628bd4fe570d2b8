import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countText, printable, shortened, shownName } from "../../src/base/index.js";

const anyText = fc.string({ unit: "binary" });

describe("printable text", () => {
  test("has the codes of characters that would act on a terminal", () => {
    const hostile = "os\u001b]0;owned\u0007\u001b[31m\u001b[2J\r\b\u007f\u009b0m\u202egnp.exe\u2028\ufeff";
    expect(printable(hostile)).toBe(
      "os\\u001b]0;owned\\u0007\\u001b[31m\\u001b[2J\\u000d\\u0008\\u007f\\u009b0m\\u202egnp.exe\\u2028\\ufeff",
    );
    expect(printable("a name\nin any script: имя 名前 🙂 é")).toBe("a name\nin any script: имя 名前 🙂 é");
  });

  test("of any text has no control character but the newline", () => {
    fc.assert(fc.property(anyText, (text) => !/[^\P{Cc}\n]/u.test(printable(text))));
  });

  test("of JSON is JSON of the same value", () => {
    fc.assert(
      fc.property(fc.dictionary(anyText, anyText), (value) => {
        expect(JSON.parse(printable(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe("a long name", () => {
  test("keeps its beginning and its end", () => {
    expect(shortened("abcdefghij", 10)).toBe("abcdefghij");
    expect(shortened("abcdefghijk", 10)).toBe("abcdefg…jk");
    expect(shownName(`${"a".repeat(20_000_000)}.b`)).toMatch(/^a{149}…a{48}\.b$/);
  });

  test("is not cut within a character", () => {
    for (let before = 0; before < 8; before++) {
      expect(shortened("x".repeat(before) + "🙂".repeat(9), 9)).not.toMatch(/\p{Surrogate}/u);
    }
  });

  test("is one line", () => {
    expect(shownName("a\nerror: b")).toBe("a\\u000aerror: b");
  });
});

test("a number stands with its thing in the singular or the plural", () => {
  expect([0, 1, 2].map((count) => countText(count, "seed"))).toEqual(["0 seeds", "1 seed", "2 seeds"]);
  expect([1, 2].map((count) => countText(count, "axis", "axes"))).toEqual(["1 axis", "2 axes"]);
});
