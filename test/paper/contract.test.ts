import { describe, expect, it } from "vitest";
import { describeOptions } from "../../src/options/index.js";
import * as exported from "../../src/paper/all.js";
import { demo, tables } from "../../src/paper/index.js";

// Other tests of this process may have registered tables of their own.
const all = Object.values(exported);

/** Form of an option, without the descriptions that name a table's own defaults. */
function typesOf(options: (typeof all)[number]["options"]): Record<string, string> {
  return Object.fromEntries(describeOptions(options).map(({ name, type }) => [name, type]));
}

describe("every table and figure", () => {
  it("has a name that a command line can type, a summary of one line and a heading", () => {
    for (const definition of all) {
      expect(definition.name).toMatch(/^[a-z][a-z0-9-]+$/);
      expect(definition.summary, definition.name).toMatch(/^[a-zA-Z].{10,110}[^.]$/);
      expect(definition.make({}).title, definition.name).toMatch(/^[A-Z].{10,100}$/);
    }
  });

  it.each(all.map((definition) => [definition.name, definition] as const))(
    "%s describes each of its options for its help",
    (_, { options }) => {
      for (const { name, description } of describeOptions(options))
        expect(description, name).toMatch(/^[a-z].{3,}/);
    },
  );

  it("takes options of the same name in the same form, but for data sets, models, presets and keys of rows", () => {
    const forms = new Map<string, Set<string>>();
    for (const { options } of all) {
      for (const [name, type] of Object.entries(typesOf(options))) {
        forms.set(name, (forms.get(name) ?? new Set()).add(type));
      }
    }
    const several = [...forms].filter(([, types]) => types.size > 1).map(([name]) => name);
    expect(several.sort()).toEqual(["data", "model", "preset", "rows"]);
  });

  it.each(all.map((definition) => [definition.name, definition] as const))(
    "%s has runs of different names, whose questions have different keys",
    (_, definition) => {
      for (const device of ["cpu", "cuda"]) {
        const cells = definition.make({}).cells(device);
        expect(new Set(cells.map(({ name }) => name)).size).toBe(cells.length);
        for (const { questions } of cells) {
          expect(new Set(questions.map(({ key }) => key)).size).toBe(questions.length);
        }
      }
    },
  );

  it.each(all.map((definition) => [definition.name, definition] as const))(
    "%s is read back from its text",
    (_, definition) => {
      const options = typesOf(definition.options);
      const model = options.model?.startsWith("a list") ? ["small(batchNorm=true)"] : "small(batchNorm=true)";
      const value = definition.make({
        ...("model" in options ? { model } : {}),
        ...("limit" in options ? { limit: 200 } : {}),
        precision: "bfloat16",
      });
      const again = tables.parse(String(value));
      expect(String(again)).toBe(String(value));
      expect(JSON.stringify(again.cells("cpu"))).toBe(JSON.stringify(value.cells("cpu")));
    },
  );

  it("does not list the demo among the paper's tables", () => {
    expect(tables.names).not.toContain(demo.name);
  });
});
