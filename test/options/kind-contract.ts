import { expect, test } from "vitest";
import { type Definition, describeOptions, type Kind, type Value } from "../../src/options/index.js";

/** Tests what every registered definition of every kind keeps to. */
export function testDefinition<T extends object, V extends T & Value>(
  kind: Kind<T, V>,
  definition: Definition<V>,
): void {
  const { name, summary, options } = definition;

  test("is found under its name, in kebab-case, and described with all of its options", () => {
    expect(kind.definition(name)).toBe(definition);
    expect(definition.kind).toBe(kind.name);
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(summary.length).toBeGreaterThan(8);
    for (const row of describeOptions(options)) {
      expect(row.description, row.name).not.toBe("");
      expect(row.type, row.name).not.toBe("a value");
    }
  });

  test("is written as its name with its default options, and read from it", () => {
    const value = definition.make({});
    expect([String(value), value.name, value.kind]).toEqual([name, name, kind.name]);
    expect(JSON.stringify([value])).toBe(`["${name}"]`);
    const read = kind.parse(String(value));
    expect(JSON.stringify(read.options)).toBe(JSON.stringify(value.options));
    expect(JSON.stringify(definition.make(value.options).call)).toBe(JSON.stringify(value.call));
    expect(kind.is(value)).toBe(true);
  });

  test("refuses unknown options, and what are none", () => {
    expect(() => definition.make({ "no-such-option": {} })).toThrow(RangeError);
    for (const wrong of [null, 5, "steps=7", []]) expect(() => definition.make(wrong)).toThrow(TypeError);
  });
}
