import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = new URL("../src", import.meta.url).pathname;

/** Rooms from the bottom up: each may import from itself and from those before it. */
const rooms = [
  "base",
  "options",
  "engine",
  "files",
  "report",
  "nn",
  "models",
  "datasets",
  "defenses",
  "attacks",
  "trials",
  "training",
  "evaluation",
  "analysis",
  "paper",
  "server",
  "cli",
];

/** Files of a folder, subfolders not counted: more are no longer found by sight. */
const mostFiles = 16;
const mostLines = 250;

interface Source {
  readonly name: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const sources: Source[] = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => {
    const text = readFileSync(join(root, name), "utf8");
    const found = text.matchAll(/(?:from|import\(|import)\s*"(\.[^"]+)"/g);
    const imports = [...found].map(([, path]) =>
      relative(root, join(root, name, "..", path!)).replace(/\.js$/, ".ts"),
    );
    return { name, text, imports };
  });

const roomOf = (name: string) => (name.includes("/") ? name.split("/")[0]! : "");

/** Imports of files in rooms that a rule finds fault with. */
function faults(rule: (from: string, to: string) => boolean): string[] {
  return sources
    .filter(({ name }) => roomOf(name) !== "")
    .flatMap(({ name, imports }) =>
      imports.filter((path) => rule(name, path)).map((path) => `${name} -> ${path}`),
    );
}

/**
 * Operators are methods of the tensors that they return: within the engine, that type alone may point back.
 */
const pointsBack = (from: string, to: string) =>
  to === "engine/tensor.ts" && /^engine\/(dispatch|operators|inspect)/.test(from);

/** A circle of imports, types included, as the files on it; undefined where there is none. */
function circle(): string[] | undefined {
  const importsOf = new Map(
    sources.map(({ name, imports }) => [name, imports.filter((path) => !pointsBack(name, path))]),
  );
  const done = new Set<string>();
  const visit = (name: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(name)) return [...way.slice(way.indexOf(name)), name];
    if (done.has(name)) return undefined;
    for (const next of importsOf.get(name) ?? []) {
      const found = visit(next, [...way, name]);
      if (found !== undefined) return found;
    }
    done.add(name);
    return undefined;
  };
  for (const { name } of sources) {
    const found = visit(name, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

describe("structure", () => {
  it("has every folder of src in the order of rooms", () => {
    const unknown = sources
      .map(({ name }) => roomOf(name))
      .filter((room) => room !== "" && !rooms.includes(room));
    expect([...new Set(unknown)]).toEqual([]);
  });

  it("imports only from the rooms below", () => {
    const upwards = (from: string, to: string) => rooms.indexOf(roomOf(to)) > rooms.indexOf(roomOf(from));
    expect(faults(upwards)).toEqual([]);
  });

  it("imports another room by its index", () => {
    expect(faults((from, to) => roomOf(from) !== roomOf(to) && to !== `${roomOf(to)}/index.ts`)).toEqual([]);
  });

  it("has no circle of imports", () => {
    expect(circle()).toBeUndefined();
  });

  it("keeps a file to one idea: 250 lines at most, but for the generated one", () => {
    const long = sources
      .filter(({ name }) => name !== "engine/operators.ts")
      .map(({ name, text }) => ({ name, lines: text.split("\n").length - 1 }))
      .filter(({ lines }) => lines > mostLines);
    expect(long).toEqual([]);
  });

  it("keeps a folder to what is found by sight", () => {
    const counts = new Map<string, number>();
    for (const { name } of sources) counts.set(dirname(name), (counts.get(dirname(name)) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > mostFiles)).toEqual([]);
  });
});
