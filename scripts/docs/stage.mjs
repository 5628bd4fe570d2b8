// Copies the pages for readers into a folder from which the site is built, in the places that they have in the
// repository, so that their links hold: README.md becomes index.md, and a file that is no page is copied or shown.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, extname, join, normalize, relative } from "node:path";

const fileLinks = /(\]\()([^)#\s]+)(#[^)\s]*)?(\))/g;

/** Languages of programs and texts that the site shows as pages, by their ending. */
const shown = new Map([
  [".ts", "ts"],
  [".mjs", "js"],
  [".sh", "bash"],
  [".cff", "yaml"],
]);

/** Endings of files that are copied as they are. */
const copied = [".json", ".html", ".svg", ".png", ""];

/** Markdown files of the repository that are pages of the site. @param {string} root */
export function sitePages(root) {
  const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !name.startsWith(".vitepress"))
    .map((name) => join("docs", name));
  return ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "results/README.md", ...docs];
}

/** Page's place in the site: a folder's README is its index. @param {string} page */
const placeOf = (page) => page.replace(/(^|\/)README\.md$/, "$1index.md");

/** Place of a shown file, such as examples/quick-start-ts.md. @param {string} file */
const placeOfShown = (file) => `${file.slice(0, -extname(file).length)}-${extname(file).slice(1)}.md`;

/**
 * Writes the site's sources.
 *
 * @param {string} root
 * @param {string} folder
 * @throws Error for a link to a file that the repository does not have, or whose kind the site cannot show
 */
export function stageSite(root, folder) {
  const pages = sitePages(root);
  /** @param {string} place @param {string} text */
  const write = (place, text) => {
    mkdirSync(dirname(join(folder, place)), { recursive: true });
    writeFileSync(join(folder, place), text);
  };
  /** @param {string} file @param {string} place */
  const copy = (file, place) => {
    mkdirSync(dirname(join(folder, place)), { recursive: true });
    copyFileSync(join(root, file), join(folder, place));
  };

  /** Link of a page as the site has it. @param {string} page @param {string} target @param {boolean} isImage */
  const linkTo = (page, target, isImage) => {
    const file = normalize(join(dirname(page), target));
    if (file.startsWith("..") || !existsSync(join(root, file)))
      throw new Error(`${page}: there is no ${target}`);
    const from = dirname(placeOf(page));
    /** @param {string} place */
    const link = (place) => `./${relative(from, place)}`;
    if (pages.includes(file)) return link(placeOf(file));
    const ending = extname(file);
    const language = shown.get(ending);
    if (language !== undefined) {
      const code = readFileSync(join(root, file), "utf8");
      write(placeOfShown(file), `# ${file}\n\n\`\`\`${language}\n${code}\`\`\`\n`);
      return link(placeOfShown(file));
    }
    if (!copied.includes(ending) || !statSync(join(root, file)).isFile())
      throw new Error(`${page}: the site cannot show ${target}`);
    if (isImage) copy(file, file);
    else copy(file, join("public", file));
    return isImage ? link(file) : `/${file}`;
  };

  for (const page of pages) {
    const text = readFileSync(join(root, page), "utf8");
    const linked = text.replace(fileLinks, (link, open, target, anchor = "", close, at) => {
      if (/^\w+:/.test(target)) return link;
      const isImage = /!\[[^\]]*$/.test(text.slice(0, at));
      return `${open}${linkTo(page, target, isImage)}${anchor}${close}`;
    });
    write(placeOf(page), linked);
  }
}
