// Links within a built site: to files, and to places in pages.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Tells a file from a folder. @param {string} path */
const isFile = (path) => existsSync(path) && statSync(path).isFile();

/**
 * Links of a folder of HTML pages that lead to no file of it, or to no place in a page, as `page: link`.
 *
 * @param {string} site
 * @returns {string[]}
 */
export function brokenLinks(site) {
  const pages = new Map(
    readdirSync(site, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".html"))
      .map((name) => [name, readFileSync(join(site, name), "utf8")]),
  );
  /** @type {Map<string, Set<string>>} */
  const places = new Map(
    [...pages].map(([name, text]) => [
      name,
      new Set([...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id ?? "")),
    ]),
  );

  /** File that a path within the site shows. @param {string} path */
  const fileOf = (path) => {
    const file = path === "" || path.endsWith("/") ? `${path}index.html` : path;
    return isFile(join(site, file)) ? file : `${file}.html`;
  };

  return [...pages].flatMap(([name, text]) =>
    [...text.matchAll(/<a\b[^>]*\shref="([^"]*)"/g)]
      .map(([, href]) => (href ?? "").replaceAll("&amp;", "&"))
      .filter((href) => !/^(\w+:|\/\/)/.test(href))
      .filter((href) => {
        const { pathname, hash } = new URL(href, `http://site/${name}`);
        const file = fileOf(decodeURIComponent(pathname).slice(1));
        if (!isFile(join(site, file))) return true;
        return hash !== "" && places.get(file)?.has(decodeURIComponent(hash.slice(1))) === false;
      })
      .map((href) => `${name}: ${href}`),
  );
}
