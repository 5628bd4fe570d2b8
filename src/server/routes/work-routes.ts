import { join } from "node:path";
import { type Context, Hono } from "hono";
import * as z from "zod";
import { inside } from "../files/inside.js";
import type { PlaygroundWorker } from "../playground/worker.js";
import { markOf } from "../runs/summary.js";
import type { Jobs, NewJob } from "../work/jobs.js";
import { bodyOf, failure, refusal } from "./answers.js";

const name = z.string().min(1).max(255);
const configText = z.string().max(100_000);

const beginSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("train"), config: configText.min(1) }),
  z.strictObject({ kind: z.literal("resume"), run: name }),
  z.strictObject({ kind: z.literal("audit"), run: name, config: configText.default("") }),
]);

const pixels = z.array(z.number().min(0).max(1)).min(1).max(1_000_000);
const playSchema = z.strictObject({
  run: name,
  attack: z.string().min(1).max(1000),
  image: z.union([
    z.strictObject({ position: z.int().min(0) }),
    z.strictObject({ pixels, label: z.int().min(0) }),
  ]),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0),
});

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

/** Routes that begin and stop work, and the playground's. */
export function workRoutes(runs: string, jobs: Jobs, worker: PlaygroundWorker): Hono {
  const routes = new Hono();
  routes.get("/jobs", (c) => c.json(jobs.list()));
  routes.post("/jobs", async (c) => {
    const id = jobs.start(jobOf(runs, await bodyOf(c, beginSchema)));
    return c.json(jobs.job(id), 201);
  });
  routes.post("/jobs/:id/stop", (c) =>
    jobs.stop(c.req.param("id")) ? c.json({ stopping: true }) : failure(c, 409, "it does not run"),
  );
  routes.get("/playground/attacks", (c) => answered(c, worker.ask({ ask: "attacks" })));
  routes.post("/playground", async (c) => {
    const request = await bodyOf(c, playSchema);
    const folder = inside(runs, request.run);
    if (folder === undefined) return failure(c, 404, "there is no such run");
    return answered(c, worker.ask({ ask: "play", folder, mark: markOf(folder)?.mark ?? "", request }));
  });
  return routes;
}

async function answered(c: Context, answer: Promise<unknown>): Promise<Response> {
  try {
    return c.json((await answer) as object);
  } catch (error) {
    return failure(c, 422, (error as Error).message);
  }
}
