import { Hono } from "hono";
import { auditDetail } from "../audits/audit-detail.js";
import { allAudits, auditFolder } from "../audits/audit-list.js";
import { inside } from "../files/inside.js";
import { readWhole } from "../files/read-part.js";
import { figurePath, paperResults } from "../paper/results.js";
import { picturePath } from "../runs/pictures.js";
import { bytesOf, failure } from "./answers.js";

/** Rules for a report's page: pictures and styles of its own, no script, no request, no name of ours. */
const reportRules =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";

const none = "there is no such audit";

/** Routes of audits in a folder of runs, and of the paper's tables in a folder of results. */
export function auditRoutes(runs: string, results: string): Hono {
  const routes = new Hono();
  routes.get("/audits", (c) => c.json(allAudits(runs)));
  routes.get("/audits/:run/:audit", (c) => {
    const { run, audit } = c.req.param();
    const folder = auditFolder(runs, run, audit);
    return folder === undefined ? failure(c, 404, none) : c.json(auditDetail(run, audit, folder));
  });
  routes.get("/audits/:run/:audit/page", (c) => {
    const { run, audit } = c.req.param();
    const folder = auditFolder(runs, run, audit);
    const page = folder === undefined ? undefined : inside(folder, "audit.html");
    const answer = bytesOf(c, page && readWhole(page, 64 * 2 ** 20), "text/html; charset=utf-8");
    answer.headers.set("Content-Security-Policy", reportRules);
    answer.headers.set("X-Frame-Options", "SAMEORIGIN");
    return answer;
  });
  routes.get("/audits/:run/:audit/images/:file", (c) => {
    const { run, audit, file } = c.req.param();
    const folder = auditFolder(runs, run, audit);
    const path = folder && picturePath(folder, [], file);
    return bytesOf(c, path && readWhole(path, 8 * 2 ** 20), "image/png");
  });
  routes.get("/paper", (c) => c.json(paperResults(results)));
  routes.get("/paper/:name/figure", (c) => {
    const path = figurePath(results, c.req.param("name"));
    return bytesOf(c, path && readWhole(path, 8 * 2 ** 20), "image/png");
  });
  return routes;
}
