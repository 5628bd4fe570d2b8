import { join } from "node:path";
import { Hono } from "hono";
import * as z from "zod";
import { inside } from "../files/inside.js";
import type { Jobs, NewJob } from "../work/jobs.js";
import { bodyOf, failure, refusal } from "./answers.js";

const name = z.string().min(1).max(255);
const configText = z.string().max(100_000);

const beginSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("train"), config: configText.min(1) }),
  z.strictObject({ kind: z.literal("resume"), run: name }),
  z.strictObject({ kind: z.literal("audit"), run: name, config: configText.default("") }),
]);

/** Words of the command line that a request stands for. */
function jobOf(runs: string, request: z.output<typeof beginSchema>): NewJob {
  if (request.kind === "train") {
    return { kind: "train", run: "", words: ["train", "--runs", runs], config: request.config };
  }
  const folder = inside(runs, request.run);
  if (folder === undefined) throw refusal(404, "there is no such run");
  // As it is named here: the command line checks the name of a run that goes on.
  const path = join(runs, request.run);
  return request.kind === "resume"
    ? { kind: "train", run: request.run, words: ["train", path], config: undefined }
    : { kind: "audit", run: request.run, words: ["audit", path], config: request.config };
}

/** Routes that begin and stop work. */
export function workRoutes(runs: string, jobs: Jobs): Hono {
  const routes = new Hono();
  routes.get("/jobs", (c) => c.json(jobs.list()));
  routes.post("/jobs", async (c) => {
    const id = jobs.start(jobOf(runs, await bodyOf(c, beginSchema)));
    return c.json(jobs.job(id), 201);
  });
  routes.post("/jobs/:id/stop", (c) =>
    jobs.stop(c.req.param("id")) ? c.json({ stopping: true }) : failure(c, 409, "it does not run"),
  );
  return routes;
}
