import { existsSync, readdirSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { everyPage, inlineCode, read, root } from "./pages.js";

const folders = "src|test|docs|results|bench|scripts|examples|native|gpu";
const path = new RegExp(`^(?:${folders})/[\\w./*-]*$`);

/** Paths that commands make, which are not stored. */
const made = ["gpu/parts/"];

/** Paths of the package that a page names in inline code. */
const pathsOf = (page: string) => inlineCode(page).filter((code) => path.test(code) && !made.includes(code));

/** Targets of a page's links and images that lie in the package. */
const linksOf = (page: string) =>
  [...page.matchAll(/\]\(([^)#]+)/g)].map(([, target]) => target!).filter((target) => !/^\w+:/.test(target));

/** Tells paths that exist; a star stands for any part of a name. */
function exists(named: string): boolean {
  if (!named.includes("*")) return existsSync(new URL(named, root));
  const [first, ...others] = named.split("/");
  return matches(first!, others);
}

function matches(folder: string, [part, ...rest]: readonly string[]): boolean {
  if (part === undefined || part === "") return existsSync(new URL(folder, root));
  if (!statSync(new URL(folder, root)).isDirectory()) return false;
  const pattern = new RegExp(`^${part.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
  const names = readdirSync(new URL(`${folder}/`, root)).filter((name) => pattern.test(name));
  return names.some((name) => matches(`${folder}/${name}`, rest));
}

describe("paths", () => {
  it.each(everyPage)("that %s names in backticks exist", (page) => {
    expect(pathsOf(read(page)).filter((named) => !exists(named))).toEqual([]);
  });

  it.each(everyPage)("that %s links to exist", (page) => {
    const base = new URL(page, root);
    expect(linksOf(read(page)).filter((target) => !existsSync(new URL(target, base)))).toEqual([]);
  });

  it("are found in the pages", () => {
    expect(everyPage.flatMap((page) => pathsOf(read(page))).length).toBeGreaterThan(20);
    expect(exists("results/audit/small-sqa-*")).toBe(true);
    expect(exists("results/twin*")).toBe(false);
  });
});
