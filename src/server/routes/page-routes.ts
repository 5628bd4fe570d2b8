import { Hono } from "hono";
import { inside } from "../files/inside.js";
import { readWhole } from "../files/read-part.js";
import { bytesOf, failure } from "./answers.js";

const types: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

/** Routes of the page itself: index.html and what it loads. */
export function pageRoutes(folder: string): Hono {
  const routes = new Hono();
  routes.get("/", (c) => {
    const path = inside(folder, "index.html");
    if (path === undefined) return failure(c, 500, "the page is not built: run `npm run setup`");
    return bytesOf(c, readWhole(path, 2 ** 20), "text/html; charset=utf-8");
  });
  routes.get("/assets/:file", (c) => {
    const file = c.req.param("file");
    const type = types[file.split(".").at(-1)!];
    const path = type === undefined ? undefined : inside(folder, "assets", file);
    return bytesOf(c, path && readWhole(path, 8 * 2 ** 20), type ?? "");
  });
  return routes;
}
