import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = new URL("..", import.meta.url).pathname;

/** Files that people write, by their folder and ending. */
const written: readonly (readonly [folder: string, ending: RegExp])[] = [
  ["src", /\.ts$/],
  ["dashboard", /\.tsx?$/],
  ["test", /\.(ts|mjs)$/],
  ["bench", /\.ts$/],
  ["examples", /\.(ts|mjs)$/],
  ["scripts", /\.(ts|mjs)$/],
  ["gpu", /\.(ts|mjs|sh)$/],
  ["native", /\.(cc|cu|h)$|CMakeLists\.txt$/],
];

/** Written by programs. */
const generated = ["src/engine/operators.ts"];

const files = written
  .flatMap(([folder, ending]) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => ending.test(name) && !name.includes("golden/"))
      .map((name) => join(folder, name)),
  )
  .filter((name) => !generated.includes(name))
  .map((name) => ({ name, lines: readFileSync(join(root, name), "utf8").split("\n") }));

/** Lines that a rule finds fault with, as `file:line: text`. */
function faults(rule: (line: string, previous: string) => boolean, within = /./): string[] {
  return files
    .filter(({ name }) => within.test(name))
    .flatMap(({ name, lines }) =>
      lines.flatMap((line, i) =>
        rule(line, lines[i - 1] ?? "") ? [`${name}:${i + 1}: ${line.trim().slice(0, 90)}`] : [],
      ),
    );
}

/**
 * Words that DESIGN.md replaces: surrogate or noise-free, fixed seed, validation images, validation attack.
 */
const replaced = /\b(twin|known[- ]draw|hold-?out|probes?|probing)\b/i;

describe("sentences", () => {
  it("have lines of at most 110 columns", () => {
    // Data, links and long literals of tests cannot be broken.
    const unbreakable = /https?:\/\/|^\s*"[^"]*",?$|^\s*(\/\/ )?[0-9a-f]{64}/;
    expect(
      faults((line) => line.length > 110 && !unbreakable.test(line), /^(src|dashboard|examples|native)\//),
    ).toEqual([]);
  });

  it("of a docstring begin with a verb or a noun", () => {
    const opens = /^\s*(\/\*\*|\*)\s+(What|Whether|Where|How|When|Who|Which)\b/;
    const first = (line: string, previous: string) => line.includes("/**") || /^\s*\/\*\*\s*$/.test(previous);
    expect(
      faults(
        (line, previous) => opens.test(line) && first(line, previous),
        /^(src|dashboard|bench|gpu|native)\//,
      ),
    ).toEqual([]);
  });

  it("use the words of the glossary", () => {
    // What users of other tools may write is recognized.
    const ours = /^(src\/(?!base\/aliases\.ts)|examples\/)/;
    expect(faults((line) => replaced.test(line.replace(/setApart\b/g, "")), ours)).toEqual([]);
  });

  it("leave nothing for later", () => {
    expect(faults((line) => /\b(TODO|FIXME|XXX)\b/.test(line), /^(src|native|bench|gpu)\//)).toEqual([]);
  });
});
