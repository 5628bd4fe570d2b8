import { describe, expect, it } from "vitest";
import * as z from "zod";
import { describeOptions, Kind, type Value } from "../../src/options/index.js";

interface Shape {
  readonly area: number;
}

const shapes = new Kind<Shape, Shape & Value>("shape", "square(side=2)");
const square = shapes.define("square", {
  summary: "a square",
  options: z.strictObject({ side: z.int().default(1), color: z.string().default("red") }),
  create: ({ side }) => ({ area: side * side }),
});
shapes.register(square);

const own = { own: true, area: 7, toJSON: () => "mine" };
const isOwn = (given: unknown) => given === own;

const drawings = new Kind<{ readonly areas: number[] }>("drawing", "drawing(shapes=[square(side=2)])");
const drawing = drawings.define("drawing", {
  summary: "a drawing of shapes",
  options: z.strictObject({
    shapes: z.array(shapes.option()).default(() => [square()]),
    main: shapes.option(isOwn).default(() => square({ side: 3 })),
  }),
  create: (options) => ({ areas: options.shapes.map(({ area }) => area) }),
});
drawings.register(drawing);

describe("values as options of other values", () => {
  it("are written as their calls, without what is left at its default", () => {
    const value = drawing({ shapes: [square({ side: 2 }), square()] });
    expect(String(value)).toBe("drawing(shapes=[square(side=2), square()])");
    expect(String(drawing({ shapes: [square()], main: square({ side: 3 }) }))).toBe("drawing");
  });

  it("are read back from the text, with parentheses or without", () => {
    expect(drawings.parse("drawing(shapes=[square(side=2), square])").areas).toEqual([4, 1]);
    expect(drawings.parse(String(drawing({ shapes: [square({ side: 5 })] }))).areas).toEqual([25]);
  });

  it("are shown in help by their calls", () => {
    expect(describeOptions(drawing.options).map((row) => row.default)).toEqual([
      "[square]",
      "square(side=3)",
    ]);
  });

  it("may be of a user's own, of which the name is written", () => {
    expect(String(drawing({ main: own as unknown as ReturnType<typeof square> }))).toBe("drawing(main=mine)");
  });

  it("refuse what is no value", () => {
    expect(() => drawings.parse("drawing(shapes=[1])")).toThrow(
      /shapes.*must be a shape such as "square\(side=2\)", not 1/,
    );
  });
});
