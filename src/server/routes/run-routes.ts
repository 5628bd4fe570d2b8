import { Hono } from "hono";
import * as z from "zod";
import { readWhole } from "../files/read-part.js";
import { picturePath } from "../runs/pictures.js";
import { compareRuns, RunLogs, runDetail } from "../runs/run-detail.js";
import type { RunList } from "../runs/run-list.js";
import { bytesOf, failure, queryOf } from "./answers.js";

const columns = [
  "name",
  "state",
  "model",
  "data",
  "method",
  "defenses",
  "seed",
  "epoch",
  "epochs",
  "step",
  "loss",
  "clean",
  "weak",
  "strong",
  "alarms",
  "seconds",
  "changed",
] as const;

const listQuery = z.object({
  filter: z.string().max(200).default(""),
  state: z.enum(["", "running", "finished", "stopped", "damaged", "alarm"]).default(""),
  sort: z.enum(columns).default("changed"),
  descending: z
    .enum(["true", "false"])
    .default("true")
    .transform((text) => text === "true"),
  offset: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

const mostCompared = 8;

/** Routes of runs: the list, a run, and several beside each other. */
export function runRoutes(list: RunList): Hono {
  const logs = new RunLogs();
  const routes = new Hono();
  routes.get("/runs", (c) => c.json(list.page(queryOf(c, listQuery))));
  routes.get("/compare", (c) => {
    const names = (c.req.queries("run") ?? []).slice(0, mostCompared);
    return c.json(compareRuns(list, logs, names));
  });
  routes.get("/runs/:run", (c) => {
    const detail = runDetail(list, logs, c.req.param("run"));
    return detail === undefined ? failure(c, 404, "there is no such run") : c.json(detail);
  });
  routes.get("/runs/:run/images/:file", (c) => {
    const path = picturePath(list.folder, [c.req.param("run")], c.req.param("file"));
    return bytesOf(c, path === undefined ? undefined : readWhole(path, 8 * 2 ** 20), "image/png");
  });
  return routes;
}
