// Writes the reference of all that the package's subpaths export, out of their docstrings, as Markdown pages:
// `npm run docs:api`. A {@link} to nothing fails.
import "./typescript-6.mjs";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const { Application } = await import("typedoc");

const root = new URL("../../", import.meta.url);
/** @param {string} path */
const inRoot = (path) => fileURLToPath(new URL(path, root));
const { exports } = JSON.parse(readFileSync(inRoot("package.json"), "utf8"));

/** Sources of the subpaths: `./dist/nn/index.js` is compiled from `src/nn/index.ts`. */
const entryPoints = Object.values(exports)
  .filter((entry) => typeof entry === "object")
  .map((entry) => inRoot(entry.default.replace(/^\.\/dist\//, "src/").replace(/\.js$/, ".ts")));

const options = {
  entryPoints,
  tsconfig: inRoot("tsconfig.json"),
  plugin: ["typedoc-plugin-markdown"],
  out: inRoot("build/site-source/api"),
  entryFileName: "index",
  outputFileStrategy: "modules",
  useCodeBlocks: true,
  useHTMLAnchors: true,
  useHTMLEncodedBrackets: true,
  parametersFormat: "table",
  propertiesFormat: "table",
  readme: "none",
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  hideGenerator: true,
  validation: { invalidLink: true, notExported: false, notDocumented: false },
  treatValidationWarningsAsErrors: true,
  logLevel: "Warn",
};

const app = await Application.bootstrapWithPlugins(/** @type {any} */ (options));
const project = await app.convert();
if (project === undefined) process.exit(1);
const front = project.children?.find(({ name }) => name === "index");
if (front !== undefined) front.name = "sqa";
app.validate(project);
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1);
await app.generateOutputs(project);

/**
 * Gives each heading of a page the place that TypeDoc's links name; headings without one, such as Returns, a number.
 * Left alone, the site would name them by their words, which are members' names as well.
 *
 * @param {string} page
 */
function named(page) {
  let count = 0;
  return page
    .split(/(^```.*?^```)/ms)
    .map((part) =>
      part.startsWith("```")
        ? part
        : part
            .replace(/^<a id="([^"]+)"><\/a>\s*\n(#{1,6} .*)$/gm, "$2 {#$1}")
            .replace(/^#{1,6} (?!.*\{#).*$/gm, (heading) => `${heading} {#section-${++count}}`)
            // The site drops the underscore of copy_ from links alone.
            .replace(/(\{#|\(#|\.md#)(\w+?)_(?=[})])/g, "$1$2-in-place"),
    )
    .join("");
}

const pages = readdirSync(options.out, { recursive: true, encoding: "utf8" }).filter((name) =>
  /\.md$/.test(name),
);
for (const page of pages.map((name) => join(options.out, name)))
  writeFileSync(page, named(readFileSync(page, "utf8")));
