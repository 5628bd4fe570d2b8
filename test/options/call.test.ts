import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Call, formatCall, type OptionValue, parseCall } from "../../src/options/call.js";

describe("parseCall", () => {
  it("reads numbers, fractions, booleans, words, strings, lists and calls", () => {
    expect(parseCall("pgd(epsilon=8/255, steps=7, randomStart=false, norm=l2)")).toEqual({
      name: "pgd",
      options: { epsilon: 8 / 255, steps: 7, randomStart: false, norm: "l2" },
    });
    expect(parseCall('a( b=-1e-3,c = "x, (\\"y\\")", d=[1, [two], .5] , e=f(g=true))').options).toEqual({
      b: -0.001,
      c: 'x, ("y")',
      d: [1, ["two"], 0.5],
      e: { name: "f", options: { g: true } },
    });
  });

  it("takes paths without quotes, and writes them so", () => {
    for (const folder of ["data/mnist", "/data", "./data", "../my-photos/v1.2", "~/data"]) {
      const text = `mnist(folder=${folder}, checksums=false)`;
      expect(parseCall(text).options).toEqual({ folder, checksums: false });
      expect(formatCall("mnist", { folder, checksums: false })).toBe(text);
    }
    expect(formatCall("mnist", { folder: "2024/data" })).toBe('mnist(folder="2024/data")');
    expect(formatCall("mnist", { folder: "my data/x" })).toBe('mnist(folder="my data/x")');
  });

  it("takes a bare name, empty parentheses and calls without a name", () => {
    expect(parseCall(" fgsm ")).toEqual({ name: "fgsm", options: {} });
    expect(parseCall("fgsm()")).toEqual({ name: "fgsm", options: {} });
    expect(parseCall("restarts(pgd(epsilon=0.3), times=10)")).toEqual({
      name: "restarts",
      options: { times: 10 },
      of: [{ name: "pgd", options: { epsilon: 0.3 } }],
    });
  });

  it.each([
    ["", "expected a name at character 1 of"],
    ["pgd(epsilon=8/, steps=7)", "expected a number such as 7, 0.3, 1e-3 or 8/255"],
    ["pgd(epsilon=8/0)", "expected a number"],
    ["pgd(0.3)", 'expected an option such as "steps=7"'],
    [
      "pgd(8/255)",
      'expected the name of an option first, as in "path=./photos" or "epsilon=8/255" at character 5',
    ],
    ["image-folder(./photos)", "expected the name of an option first"],
    ["image-folder( my/photos, size=8)", "expected the name of an option first"],
    [
      "./mine.mjs",
      "expected a name, not a path (--import FILE loads a file that registers a name), at character 1",
    ],
    ["pgd(steps)", 'expected "=" and a value after "steps", or "()" as in restarts(pgd())'],
    ["pgd(steps=)", "expected a value"],
    ["pgd(steps=7", 'expected "," or ")"'],
    ["pgd(steps=7) x", "expected the end"],
    ["pgd(a=[1 2])", 'expected "," or "]" at character'],
    ["a(b=my photos/x)", 'expected "," or ")" (text with spaces or other signs goes in "quotes") at'],
    ["a(b=/größe)", 'expected "," or ")" (text with spaces or other signs goes in "quotes") at'],
    ["a(b=größe)", 'expected "," or ")" (text with spaces or other signs goes in "quotes") at'],
    ["a(b=фото)", 'expected a value (text with spaces or other signs goes in "quotes") at character 5'],
    ["a(b=)", "expected a value at character 5"],
    ["a(b=[c d])", 'expected "," or "]" (text with spaces or other signs goes in "quotes") at'],
    ["a(b=c(d=e) f)", 'expected "," or ")" at character'],
    ["a(b='c d')", 'expected a value (text goes in "double quotes") at'],
    ['pgd(a="x)', "expected a closing quote"],
    ["pgd(steps=7, steps=8)", 'expected option "steps" only once'],
    ["a(".repeat(100_000), "expected at most 32 levels of parentheses"],
    [`a(b=${"[".repeat(100_000)}`, "expected at most 32 levels of brackets"],
  ])("refuses %.40s", (text, message) => {
    expect(() => parseCall(text)).toThrow(RangeError);
    expect(() => parseCall(text)).toThrow(message);
  });

  it("puts a caret under the fault", () => {
    expect(() => parseCall("pgd(steps=7, steps=8)")).toThrowErrorMatchingInlineSnapshot(`
      [RangeError: expected option "steps" only once at character 14 of
        pgd(steps=7, steps=8)
                     ^]
    `);
  });

  it("keeps an option named __proto__ out of the prototype", () => {
    const { options } = parseCall("a(__proto__=1)");
    expect(Object.keys(options)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(options)).toBe(Object.prototype);
  });
});

describe("formatCall", () => {
  it("writes grey levels as fractions where that is shorter", () => {
    const options = {
      epsilon: 8 / 255,
      step: 2 * (1 / 255),
      radius: 0.2,
      steps: 7,
      big: 300,
      norm: "l2",
      skip: undefined,
    };
    expect(formatCall("pgd", options)).toBe(
      "pgd(epsilon=8/255, step=2/255, radius=0.2, steps=7, big=300, norm=l2)",
    );
    expect(formatCall("fgsm")).toBe("fgsm");
    const tenths = { tenth: 8 / 255 / 10, half: 0.5 / 255, decimal: 0.1, short: 0.02, none: 0.123 / 255 };
    // No number is written as another one, however small.
    for (const tiny of [1.25e-31, 3.3333e-13, 1e-30])
      expect(parseCall(formatCall("pgd", { tiny })).options.tiny).toBe(tiny);
    expect(formatCall("pgd", tenths)).toBe(
      `pgd(tenth=0.8/255, half=0.5/255, decimal=0.1, short=0.02, none=${0.123 / 255})`,
    );
  });

  it("refuses what it could not read back", () => {
    expect(() => formatCall("a", { b: Number.NaN })).toThrow("must be finite, given NaN");
    expect(() => formatCall("a", { b: null })).toThrow('option "b" must be a number');
    expect(() => formatCall("a b")).toThrow('given "a b"');
  });

  it("is undone by parseCall, also through JSON", () => {
    const word = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/);
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x)),
      fc.integer({ min: -600, max: 600 }).map((level) => (level === 0 ? 0 : level / 255)),
    );
    const value = (depth: number): fc.Arbitrary<OptionValue> =>
      depth === 0
        ? fc.oneof(number, fc.boolean(), fc.string(), word)
        : fc.oneof(value(0), fc.array(value(depth - 1), { maxLength: 3 }), call(depth - 1));
    const call = (depth: number): fc.Arbitrary<Call> =>
      fc
        .tuple(
          word,
          fc.dictionary(word, value(depth), { maxKeys: 4, noNullPrototype: true }),
          depth === 0 ? fc.constant([]) : fc.array(call(depth - 1), { maxLength: 2 }),
        )
        .map(([name, options, of]) => (of.length === 0 ? { name, options } : { name, options, of }));
    fc.assert(
      fc.property(call(2), ({ name, options, of }) => {
        const read = parseCall(formatCall(name, options, of));
        expect(JSON.parse(JSON.stringify(read))).toEqual(read);
        expect(rounded(read)).toEqual(rounded(of === undefined ? { name, options } : { name, options, of }));
        expect(Object.keys(read.options)).toEqual(Object.keys(options));
      }),
    );
  });
});

/** Numbers within 1e-12 of a grey level are written as it, so they are compared to that. */
function rounded(value: unknown): unknown {
  if (typeof value === "number") {
    const level = Math.round(value * 255) / 255;
    return Math.abs(value) <= 10 && Math.abs(value - level) <= 1e-12 ? level + 0 : value;
  }
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rounded(item)]));
}
