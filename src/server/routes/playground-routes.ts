import { type Context, Hono } from "hono";
import * as z from "zod";
import type { PlayModel } from "../api.js";
import { inside } from "../files/inside.js";
import { fileMark, type ModelPlaces, modelFilePath, modelFiles } from "../playground/model-files.js";
import type { PlaySource } from "../playground/opened-model.js";
import type { PlaygroundWorker } from "../playground/worker.js";
import { markOf } from "../runs/summary.js";
import { bodyOf, failure, refusal } from "./answers.js";

const modelSchema = z.union([
  z.strictObject({ run: z.string().min(1).max(255) }),
  z.strictObject({
    place: z.enum(["models", "runs"]),
    file: z.string().min(1).max(2000),
    normalize: z.string().min(1).max(1000).optional(),
  }),
]);

const label = z.int().min(0).nullable();
const pixels = z.array(z.number().min(0).max(1)).min(1).max(1_000_000);
const playSchema = z.strictObject({
  model: modelSchema,
  attack: z.string().min(1).max(1000),
  image: z.union([
    z.strictObject({ position: z.int().min(0), data: z.string().max(100).default("") }),
    z.strictObject({ pixels, label }),
    z.strictObject({ picture: z.base64().min(1), label }),
  ]),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0),
});

/** Place of a model on the disk. A 404 for one that is not inside of a folder that may be read. */
function sourceOf(places: ModelPlaces, model: PlayModel): PlaySource {
  if ("run" in model) {
    const folder = inside(places.runs, model.run);
    if (folder === undefined) throw refusal(404, "there is no such run");
    return { kind: "run", path: folder, mark: markOf(folder)?.mark ?? "" };
  }
  const path = modelFilePath(places, model);
  if (path === undefined) throw refusal(404, "there is no such exported model");
  return { kind: "file", path, mark: fileMark(path), normalize: model.normalize };
}

/** Routes of the playground: attacks, models, and a model's answers to an image under attack. */
export function playgroundRoutes(places: ModelPlaces, worker: PlaygroundWorker): Hono {
  const routes = new Hono();
  routes.get("/playground/attacks", (c) => answered(c, worker.ask({ ask: "attacks" })));
  routes.get("/playground/files", (c) => c.json(modelFiles(places)));
  routes.post("/playground/model", async (c) => {
    const source = sourceOf(places, await bodyOf(c, modelSchema));
    return answered(c, worker.ask({ ask: "model", source }));
  });
  routes.post("/playground", async (c) => {
    const request = await bodyOf(c, playSchema);
    const source = sourceOf(places, request.model);
    return answered(c, worker.ask({ ask: "play", source, request }));
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
