import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = new URL("../src", import.meta.url).pathname;

/** Folders from the bottom up: one may import from itself and from those before it. */
const layers = [
  "engine",
  "options",
  "nn",
  "quantization",
  "models",
  "datasets",
  "attacks",
  "defenses",
  "training",
  "evaluation",
  "analysis",
  "paper",
  "cli",
  "server",
];

/** What `report` may import: it draws, and knows nothing of what it draws. */
const besideTheLayers: Record<string, readonly string[]> = { report: ["engine", "options"] };
/** Who may import `report`. */
const reporters = ["paper", "cli", "server"];

const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => ({ name, text: readFileSync(join(root, name), "utf8") }));

function importsOf(file: { name: string; text: string }): string[] {
  const found = file.text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g);
  return [...found].map(([, path]) => relative(root, join(root, file.name, "..", path!)));
}

function allowed(from: string, to: string): boolean {
  if (from === to) return true;
  const beside = besideTheLayers[from];
  if (beside !== undefined) return beside.includes(to);
  if (to === "report") return reporters.includes(from);
  return layers.indexOf(to) !== -1 && layers.indexOf(to) < layers.indexOf(from);
}

describe("structure", () => {
  it("has every folder of src in the order of layers", () => {
    const folders = new Set(files.map(({ name }) => name.split("/")[0]!).filter((name) => !name.endsWith(".ts")));
    expect([...folders].filter((name) => !layers.includes(name) && !(name in besideTheLayers))).toEqual([]);
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
