import { describe, expect, it } from "vitest";
import { Victim } from "../../src/attacks/index.js";
import { exitCode } from "../../src/cli/frame/exit-code.js";
import { tensor } from "../../src/engine/index.js";
import { guides, inlineCode, read } from "./pages.js";

/** Codes in the first column of a page's table of exit codes, in their order. */
function exitCodesOf(page: string): number[] {
  const [, table] = /^\| exit code.*\n\|[ -|]*\n((?:\|.*\n)+)/m.exec(page)!;
  return table!
    .trimEnd()
    .split("\n")
    .map((row) => Number(row.split("|")[1]));
}

/** Names of the members that a page's inline code shows of an object: `t.add(u)` shows `add` of `t`. */
const membersOf = (page: string, object: string) => {
  const code = inlineCode(page).join("\n");
  return [...code.matchAll(new RegExp(`(?<![\\w.])${object}\\.(\\w+)`, "g"))].map(([, name]) => name!);
};

describe("tables of exit codes", () => {
  it.each(["docs/guide/ci.md", "docs/architecture.md"])("of %s has each code", (path) => {
    const codes = [...new Set<number>(Object.values(exitCode))].sort((a, b) => a - b);
    expect(exitCodesOf(read(path))).toEqual(codes);
  });
});

describe("docs/guide/extend.md", () => {
  const page = read("docs/guide/extend.md");
  const answer = { inputShape: [1, 1, 1] as const, classes: 2, randomized: false, logits: () => tensor([0]) };
  const context = { seed: 0, imageIds: tensor([0], [1], "int64") };

  it.each([
    ["victim", new Victim(answer, context, "own")],
    ["t", tensor([0])],
  ])("names members of %s that exist", (name, object) => {
    const members = membersOf(page, name);
    expect(members.length).toBeGreaterThan(6);
    expect(members.filter((member) => !(member in object))).toEqual([]);
  });
});

describe("the list of guides", () => {
  it.each(guides.filter((path) => !path.endsWith("/README.md")))("has %s, as the site's menu", (path) => {
    const file = path.replace("docs/guide/", "");
    expect(read("docs/guide/README.md")).toContain(`](${file})`);
    expect(read("docs/.vitepress/config.mts")).toContain(`"${file.replace(".md", "")}",`);
  });
});
