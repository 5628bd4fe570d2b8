import { readFileSync } from "node:fs";
import { defineConfig } from "vitepress";

const { exports } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

/** Link of the menu to a page. */
const to = (text: string, link: string) => ({ text, link });

/** Title of a page, its first heading. */
function titleOf(path: string): string {
  const page = readFileSync(new URL(`../${path}.md`, import.meta.url), "utf8");
  return /^# (.*)$/m.exec(page)![1]!;
}

/** Links to pages below docs/, with their own titles. */
const pages = (folder: string, names: readonly string[]) =>
  names.map((name) => to(titleOf(`${folder}${name}`), `/docs/${folder}${name}`));

const guides = [
  "first-audit",
  "pytorch",
  "onnx",
  "images",
  "own-network",
  "train",
  "extend",
  "extend-training",
  "extend-audit",
  "export",
  "command-line",
  "report",
  "ci",
  "scale",
  "ranks",
  "gpu",
];
const kinds = [
  "commands",
  "attacks",
  "augmentations",
  "checks",
  "data",
  "defenses",
  "guards",
  "methods",
  "models",
  "optimizers",
  "schedules",
  "tables",
];
const paper = [
  "table1",
  "table2",
  "table3",
  "table4",
  "figure1",
  "figure2",
  "figure3",
  "overfitting",
  "collapse",
];

/** Subpaths of the package, whose pages TypeDoc writes. */
const subpaths = Object.keys(exports)
  .filter((path) => path !== "./package.json")
  .map((path) => path.slice(2));
// An entry with namespaces has a folder.
const withNamespaces = ["engine"];
const api = subpaths.map((path) => {
  const page = path === "" ? "sqa" : withNamespaces.includes(path) ? `${path}/` : path;
  return to(path === "" ? "sqa" : `sqa/${path}`, `/api/${page}`);
});

// Sources are staged by scripts/docs/site.mjs; nothing is asked of another host.
export default defineConfig({
  title: "sqa",
  description: "Tells the truth about how robust an image classifier is, and trains classifiers that resist",
  srcDir: "../build/site-source",
  outDir: "../build/site",
  cacheDir: "../build/site-cache",
  ignoreDeadLinks: false,
  lastUpdated: false,
  markdown: {
    // Indented blocks look like fenced ones.
    config({ renderer: { rules } }) {
      rules.code_block = (tokens, at, ...rest) => {
        tokens[at]!.info = "txt";
        return rules.fence!(tokens, at, ...rest);
      };
    },
  },
  // The page of all that `sqa` exports.
  vite: { build: { chunkSizeWarningLimit: 3000 } },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      to("Guide", "/docs/guide/"),
      to("Reference", "/docs/reference/"),
      to("API", "/api/"),
      to("Reproduction", "/docs/reproduction/"),
      to("Results", "/results/"),
    ],
    sidebar: [
      { text: "Guide", items: [to("Guides", "/docs/guide/"), ...pages("guide/", guides)] },
      {
        text: "Questions",
        items: pages("", ["faq", "glossary", "platforms", "audit", "dashboard", "gpu"]),
      },
      {
        text: "Reference",
        collapsed: true,
        items: [to("Reference", "/docs/reference/"), ...pages("reference/", kinds)],
      },
      { text: "API", collapsed: true, items: [to("Modules", "/api/"), ...api] },
      {
        text: "Reproduction",
        collapsed: true,
        items: [
          to("In one table", "/docs/reproduction/"),
          ...pages("", ["findings"]),
          ...pages("reproduction/", [...paper, "readings", "audit"]),
          to("Every result", "/results/"),
        ],
      },
      {
        text: "Project",
        collapsed: true,
        items: [
          ...pages("", ["performance", "scale", "architecture", "dependencies"]),
          to("Contributing", "/CONTRIBUTING"),
          to("Changelog", "/CHANGELOG"),
        ],
      },
    ],
  },
});
