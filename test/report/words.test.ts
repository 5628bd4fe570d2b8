import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { longestWord, visibleWidth, withoutColors, wrapWords } from "../../src/report/words.js";

describe("wrapWords", () => {
  it("breaks at spaces, and indents what goes on", () => {
    expect(wrapWords("one two three four", 9)).toEqual(["one two", "three", "four"]);
    expect(wrapWords("one two three four", 9, 2)).toEqual(["one two", "  three", "  four"]);
    expect(wrapWords("  as  it   is", 80)).toEqual(["  as  it   is"]);
    expect(wrapWords("a\nb c", 2)).toEqual(["a", "b", "c"]);
  });

  it("leaves a path whole that is wider than the line", () => {
    expect(wrapWords("kept in runs/mnist-small-sqa/audit now", 12)).toEqual([
      "kept in",
      "runs/mnist-small-sqa/audit",
      "now",
    ]);
  });

  it("ends colors with a line and begins them again", () => {
    const [red, off] = ["\u001b[31;77m", "\u001b[39;77m"];
    expect(wrapWords(`${red}not robust${off} at all`, 6)).toEqual([
      `${red}not${off}`,
      `${red}robust${off}`,
      "at all",
    ]);
    const bold = "\u001b[1m";
    expect(wrapWords(`${bold}a ${red}b${off} c\u001b[22m`, 1)).toEqual([
      `${bold}a\u001b[22m`,
      `${bold}${red}b${off}\u001b[22m`,
      `${bold}c\u001b[22m`,
    ]);
  });

  it("loses no word and is no wider than told, but for a word that is", () => {
    const words = fc.array(fc.stringMatching(/^[a-z/(=.]{1,12}$/), { maxLength: 20 });
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 30 }), (given, width) => {
        const text = given.join(" ");
        const lines = wrapWords(text, width);
        expect(lines.join(" ")).toBe(text);
        for (const line of lines)
          expect(visibleWidth(line)).toBeLessThanOrEqual(Math.max(width, longestWord(line)));
      }),
    );
  });
});

describe("widths", () => {
  it("are those that a terminal shows", () => {
    expect([visibleWidth("\u001b[1mab\u001b[22m"), withoutColors("\u001b[1;9mab\u001b[22;9m")]).toEqual([
      2,
      "ab",
    ]);
    expect([longestWord("a bcd ef"), longestWord("")]).toEqual([3, 0]);
  });
});
