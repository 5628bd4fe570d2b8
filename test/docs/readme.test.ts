import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/main.js";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const readme = read("README.md");

describe("README", () => {
  it("shows the example that runs as a test", () => {
    expect(readme).toContain(read("examples/train-and-attack.ts").trim());
  });

  it.each(["results/table1.md", "results/table1-short.md"])("shows the committed %s", (file) => {
    const table = read(file)
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .join("\n");
    expect(table).not.toBe("");
    expect(readme).toContain(table);
  });

  it("names commands and files that exist", () => {
    const named = [...readme.matchAll(/npx sqa (\w+)/g)].map(([, name]) => name!);
    expect(named.filter((name) => !(name in commands))).toEqual([]);
    const files = [...readme.matchAll(/(?:docs|examples|results)\/[\w.-]+\.\w+/g)].map(([path]) => path);
    expect(files.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
  });
});
