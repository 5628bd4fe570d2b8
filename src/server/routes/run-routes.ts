import { Hono } from "hono";
import * as z from "zod";
import { inside } from "../files/inside.js";
import { readWhole } from "../files/read-part.js";
import { leftOff, markLook, type StreamEvent, streamOf } from "../live/stream.js";
import { picturePath } from "../runs/pictures.js";
import { compareRuns, RunLogs, runDetail } from "../runs/run-detail.js";
import type { RunList } from "../runs/run-list.js";
import { cursorOf, cursorText, loggedAfter } from "../runs/run-log.js";
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

/** New lines of a run's logs as events; one that was begun anew is told whole. */
function followLook(folder: string, after: string | undefined): () => StreamEvent[] {
  let cursor = cursorOf(after);
  return () => {
    const logged = loggedAfter(folder, cursor);
    const id = cursorText(logged.cursor);
    const same = id === cursorText(cursor) && !logged.anew;
    cursor = logged.cursor;
    if (same) return [];
    if (logged.anew) return [{ event: "anew", id, data: null }];
    return [{ event: "logged", id, data: { events: logged.events, steps: logged.steps.slice(-2000) } }];
  };
}

/** Routes of runs: the list, a run, several beside each other, and what is new. */
export function runRoutes(list: RunList): Hono {
  const logs = new RunLogs();
  const routes = new Hono();
  routes.get("/runs", (c) => c.json(list.page(queryOf(c, listQuery))));
  routes.get("/runs-stream", (c) =>
    streamOf(
      c,
      list.folder,
      markLook(() => list.mark(), leftOff(c)),
    ),
  );
  routes.get("/compare", (c) => {
    const names = (c.req.queries("run") ?? []).slice(0, mostCompared);
    return c.json(compareRuns(list, logs, names));
  });
  routes.get("/runs/:run", (c) => {
    const detail = runDetail(list, logs, c.req.param("run"));
    return detail === undefined ? failure(c, 404, "there is no such run") : c.json(detail);
  });
  routes.get("/runs/:run/stream", (c) => {
    const folder = inside(list.folder, c.req.param("run"));
    if (folder === undefined) return failure(c, 404, "there is no such run");
    return streamOf(c, folder, followLook(folder, leftOff(c)));
  });
  routes.get("/runs/:run/images/:file", (c) => {
    const path = picturePath(list.folder, [c.req.param("run")], c.req.param("file"));
    return bytesOf(c, path === undefined ? undefined : readWhole(path, 8 * 2 ** 20), "image/png");
  });
  return routes;
}
