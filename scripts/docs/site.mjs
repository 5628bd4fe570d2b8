// Builds the site of the documentation into build/site: `npm run docs:site`. A dead link fails, and so does a page
// that asks another host for anything.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vitepress";
import { hostsAsked } from "./hosts.mjs";
import { brokenLinks } from "./links.mjs";
import { stageSite } from "./stage.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const source = join(root, "build", "site-source");
const site = join(root, "build", "site");

rmSync(source, { recursive: true, force: true });
stageSite(root, source);
await import("./api.mjs");
await build(join(root, "docs"));

const files = readdirSync(site, { recursive: true, encoding: "utf8" });
const asked = files
  .filter((name) => /\.(html|css)$/.test(name))
  .flatMap((name) => hostsAsked(readFileSync(join(site, name), "utf8")).map((url) => `${name} asks ${url}`));
const broken = brokenLinks(site).map((link) => `broken link: ${link}`);
const pages = files.filter((name) => name.endsWith(".html")).length;
console.log([...asked, ...broken, `${pages} pages in build/site`].join("\n"));
if (asked.length + broken.length > 0) process.exitCode = 1;
