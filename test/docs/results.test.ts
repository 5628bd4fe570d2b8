import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { TableResult } from "../../src/paper/index.js";
import { read, root } from "./pages.js";

const stored = readdirSync(new URL("results/", root))
  .filter((file) => file.endsWith(".json"))
  .map((file) => file.replace(/\.json$/, ""))
  .filter((name) => "table" in JSON.parse(read(`results/${name}.json`)));

const result = (name: string) => TableResult.read(JSON.parse(read(`results/${name}.json`)), name);
const tables = stored.filter((name) => result(name).table.show(result(name).data).table !== undefined);

describe("results/", () => {
  it("stores tables and figures", () => {
    expect(tables.length).toBeGreaterThan(5);
    expect(stored.length).toBeGreaterThan(tables.length);
  });

  it.each(tables)("has %s.md as its JSON is printed", (name) => {
    expect(read(`results/${name}.md`)).toBe(result(name).markdown());
  });

  it.each(stored)("names %s by its table first", (name) => {
    expect(name.startsWith(result(name).table.fileName)).toBe(true);
  });
});
