import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = new URL("../src", import.meta.url).pathname;

/** Folders from the bottom up: one may import from itself and from those before it. */
const layers = [
  "base",
  "options",
  "engine",
  "files",
  "report",
  "nn",
  "defenses",
  "models",
  "datasets",
  "attacks",
  "trials",
  "training",
  "evaluation",
  "analysis",
  "paper",
  "server",
  "cli",
];

const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => ({ name, text: readFileSync(join(root, name), "utf8") }));

function importsOf(file: { name: string; text: string }): string[] {
  const found = file.text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g);
  return [...found].map(([, path]) => relative(root, join(root, file.name, "..", path!)));
}

function allowed(from: string, to: string): boolean {
  return from === to || (layers.includes(to) && layers.indexOf(to) < layers.indexOf(from));
}

describe("structure", () => {
  it("has every folder of src in the order of layers", () => {
    const folders = new Set(files.map(({ name }) => name.split("/")[0]!).filter((name) => !name.endsWith(".ts")));
    expect([...folders].filter((name) => !layers.includes(name))).toEqual([]);
  });

  it("imports only down the layers", () => {
    const against = files
      .filter(({ name }) => name.includes("/"))
      .flatMap((file) =>
        importsOf(file)
          .filter((path) => path.includes("/") && !allowed(file.name.split("/")[0]!, path.split("/")[0]!))
          .map((path) => `${file.name} -> ${path}`),
      );
    expect(against).toEqual([]);
  });

  it("keeps a file to one idea: 250 lines at most, but for the generated one", () => {
    const long = files
      .filter(({ name }) => name !== "engine/operators.ts")
      .map(({ name, text }) => ({ name, lines: text.split("\n").length - 1 }))
      .filter(({ lines }) => lines > 250);
    expect(long).toEqual([]);
  });
});
