import { readdirSync, readFileSync } from "node:fs";

/** Folder of the package. */
export const root = new URL("../../", import.meta.url);

const inFolder = (folder: string, ending: RegExp) =>
  readdirSync(new URL(`${folder}/`, root))
    .filter((file) => ending.test(file))
    .map((file) => `${folder}/${file}`);

/** Guides: pages to follow. */
export const guides = inFolder("docs/guide", /\.md$/);

/** Pages that `npm run docs:reference` writes. */
export const references = inFolder("docs/reference", /\.md$/);

/** Pages of the paper's reproduction: one a table or figure. */
export const reproductions = inFolder("docs/reproduction", /\.md$/);

/** Pages for readers: the root's, those of docs/, and that of results/. */
export const pages = [
  ...["README.md", "CONTRIBUTING.md", "results/README.md"],
  ...inFolder("docs", /\.md$/),
  ...guides,
  ...references,
  ...reproductions,
];

/** Pages of the site: the changelog is one more, whose commands may have gone since. */
export const everyPage = [...pages, "CHANGELOG.md"];

/** Programs of examples/. */
export const examples = inFolder("examples", /\.m?[jt]s$/);

/** Returns the text of a file of the package. */
export const read = (path: string) => readFileSync(new URL(path, root), "utf8");

/** Inline code of a page, a line each; blocks of code are left out. */
export function inlineCode(page: string): string[] {
  const prose = page.replace(/^```.*?^```/gms, "").replace(/^ {4}.*$/gm, "");
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, code]) => code!.replace(/\s+/g, " "));
}

/** Lines of the blocks of code of a page; a backslash at an end joins the next line. */
export function codeLines(text: string): string[] {
  const page = text.replace(/\\\n\s*/g, "");
  const fenced = [...page.matchAll(/^```[^\n]*\n(.*?)^```/gms)].flatMap(([, code]) => code!.split("\n"));
  return [...fenced, ...[...page.matchAll(/^ {4}(.*)$/gm)].map(([, line]) => line!)];
}
