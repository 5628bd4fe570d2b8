import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { hostsAsked } from "../../scripts/docs/hosts.mjs";
import { brokenLinks } from "../../scripts/docs/links.mjs";
import { sitePages, stageSite } from "../../scripts/docs/stage.mjs";
import { everyPage, root } from "./pages.js";

const checkout = fileURLToPath(root);
const folder = mkdtempSync(join(tmpdir(), "sqa-site-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the site's sources", () => {
  it("are the pages for readers", () => {
    expect(sitePages(checkout).sort()).toEqual([...everyPage].sort());
  });

  it("have every page, with links that hold", () => {
    stageSite(checkout, folder);
    const text = (path: string) => readFileSync(join(folder, path), "utf8");
    expect(text("index.md")).toContain("(./docs/guide/index.md)");
    expect(text("index.md")).toContain("(./examples/quick-start-ts.md)");
    expect(text("index.md")).toContain("(./docs/report.png)");
    expect(text("examples/quick-start-ts.md")).toContain("```ts\n");
    expect(text("docs/reproduction/overfitting.md")).toContain("(./../../results/overfitting.png)");
    expect(existsSync(join(folder, "results/overfitting.png"))).toBe(true);
  });

  it("are in the menu", () => {
    const menu = readFileSync(new URL("docs/.vitepress/config.mts", root), "utf8");
    const name = (page: string) => page.replace(/^.*\/|\.md$/g, "");
    const unnamed = everyPage.filter((page) => name(page) !== "README" && !menu.includes(name(page)));
    expect(unnamed).toEqual([]);
  });
});

describe("hostsAsked", () => {
  it.each([
    '<script type="module" src="https://cdn.example/app.js"></script>',
    '<link rel="stylesheet" href="//fonts.example/inter.css">',
    '<img alt="x" src="https://img.example/a.png">',
    "@import 'https://fonts.example/inter.css';",
    "@font-face { src: url(https://fonts.example/inter.woff2) }",
  ])("finds what %s loads", (text) => {
    expect(hostsAsked(text)).toHaveLength(1);
  });

  it("leaves links and local files alone", () => {
    const local =
      '<a href="https://keepachangelog.com">x</a><script src="/assets/app.js"></script>' +
      '<link rel="preload" href="/assets/inter.woff2">url(data:image/svg+xml,x)';
    expect(hostsAsked(local)).toEqual([]);
  });
});

describe("brokenLinks", () => {
  it("finds links to no file and to no place", () => {
    const site = join(folder, "built");
    mkdirSync(join(site, "guide"), { recursive: true });
    const good = [
      "guide/",
      "./guide/a",
      "guide/a.html#here",
      "https://keepachangelog.com",
      "#top",
      "data.json",
    ];
    const bad = ["guide/b", "guide/a.html#there", "/data.yaml"];
    const links = [...good, ...bad].map((href) => `<a class="x" href="${href}">x</a>`);
    writeFileSync(join(site, "index.html"), `<h1 id="top">x</h1>${links.join("")}`);
    writeFileSync(join(site, "guide", "index.html"), '<a href="../">x</a><a href="/guide/a#here">x</a>');
    writeFileSync(join(site, "guide", "a.html"), '<h1 id="here">x</h1>');
    writeFileSync(join(site, "data.json"), "{}");
    expect(brokenLinks(site)).toEqual(bad.map((href) => `index.html: ${href}`));
  });
});
