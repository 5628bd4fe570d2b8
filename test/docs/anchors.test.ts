import { describe, expect, it } from "vitest";
import { everyPage, read } from "./pages.js";

/** Headings of a page, without the marks of code, emphasis and links. */
const headingsOf = (page: string) =>
  [...page.replace(/^```.*?^```/gms, "").matchAll(/^#{1,6} +(.*?)\s*$/gm)].map(([, text]) =>
    text!.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[`*]/g, ""),
  );

/** Anchor that GitHub gives a heading. */
const onGitHub = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");

/** Anchor that the site gives a heading. */
const onSite = (heading: string) =>
  heading
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[\s~`!@#$%^&*()\-_+=[\]{}|\\;:"'“”‘’<>,.?/]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .replace(/^(\d)/, "_$1")
    .toLowerCase();

/** Links of a page to a heading, as `target#anchor`; the target is empty for the page itself. */
const anchorsOf = (page: string) =>
  [...page.matchAll(/\]\(([^)#\s]*)#([^)\s]+)\)/g)]
    .map(([, target, anchor]) => ({ target: target!, anchor: anchor! }))
    .filter(({ target }) => !/^\w+:/.test(target));

/** Faults of a page's links to headings: those that GitHub or the site does not know. */
function faults(path: string, text: string): string[] {
  return anchorsOf(text).flatMap(({ target, anchor }) => {
    const page = target === "" ? text : read(new URL(target, `file:///${path}`).pathname.slice(1));
    const headings = headingsOf(page);
    const known = [onGitHub, onSite].every((slug) => headings.map(slug).includes(anchor));
    return known ? [] : [`${path}: ${target}#${anchor}`];
  });
}

describe("links to headings", () => {
  it.each(everyPage)("of %s lead to one, on GitHub and on the site", (path) => {
    expect(faults(path, read(path))).toEqual([]);
  });

  it("are found", () => {
    expect(everyPage.flatMap((path) => anchorsOf(read(path))).length).toBeGreaterThan(0);
  });

  it.each([
    ["[a](#one-two)\n\n## One two", 0],
    ["[a](#one-three)\n\n## One two", 1],
    ["[a](#what-s-it)\n\n## What's it", 1],
    ["[a](#in-code)\n\n```sh\n## In code\n```", 1],
    ["[a](results/README.md#how-to-make-them-again)", 0],
    ["[a](results/README.md#nowhere)", 1],
  ])("are judged: %j has %i faults", (text, count) => {
    expect(faults("README.md", text)).toHaveLength(count);
  });
});
