import { existsSync } from "node:fs";
import { join } from "node:path";
import { Hono } from "hono";
import { batchesOf } from "../audits/audit-detail.js";
import { auditFolder } from "../audits/audit-list.js";
import { inside } from "../files/inside.js";
import { followMark, leftOff, streamOf, together } from "../live/stream.js";
import { followRun } from "../runs/follow-run.js";
import type { RunList } from "../runs/run-list.js";
import type { Jobs } from "../work/jobs.js";
import { failure } from "./answers.js";

/**
 * The one stream of a page, since a browser keeps few lines to a server: tells that the list of runs or the
 * page's work has changed, and follows a run or an audit where the query names one.
 */
export function streamRoute(list: RunList, jobs: Jobs): Hono {
  const routes = new Hono();
  routes.get("/stream", (c) => {
    const { run, audit } = c.req.query();
    const [runs, work, ...rest] = leftOff(c).split("~");
    const followers = [
      followMark("runs", [list.folder], () => list.mark(), runs),
      followMark("jobs", [], () => jobs.mark(), work),
    ];
    if (run !== undefined && audit === undefined) {
      const folder = inside(list.folder, run);
      if (folder === undefined) return failure(c, 404, "there is no such run");
      followers.push(followRun(folder, rest[0]));
    }
    if (run !== undefined && audit !== undefined) {
      const folder = auditFolder(list.folder, run, audit);
      if (folder === undefined) return failure(c, 404, "there is no such audit");
      const mark = () => `${batchesOf(folder).count()} ${existsSync(join(folder, "audit.json"))}`;
      followers.push(followMark("audit", [folder], mark, rest[0]));
    }
    return streamOf(c, together(followers));
  });
  return routes;
}
