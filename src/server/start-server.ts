import { realpathSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { entryAt, MissingFileError, makeFolder, statusAt } from "../base/index.js";
import { guard, sessionOf } from "./access/guard.js";
import { keptSecret, randomSecret } from "./access/secret.js";
import { PlaygroundWorker } from "./playground/worker.js";
import { failure } from "./routes/answers.js";
import { auditRoutes } from "./routes/audit-routes.js";
import { pageRoutes } from "./routes/page-routes.js";
import { playgroundRoutes } from "./routes/playground-routes.js";
import { runRoutes } from "./routes/run-routes.js";
import { streamRoute } from "./routes/stream-route.js";
import { workRoutes } from "./routes/work-routes.js";
import { RunList } from "./runs/run-list.js";
import { Jobs, type SqaProgram } from "./work/jobs.js";

export interface DashboardOptions {
  /** Folder of run folders; made where it is missing. */
  readonly runs: string;
  /** Folder of the paper's tables and figures. */
  readonly results: string;
  /** Folder of exported models for the playground; those below the runs alone where left out. */
  readonly models?: string | undefined;
  /** Port to listen on; 0 for one that is free. */
  readonly port: number;
  /** Command line that the page begins work with. */
  readonly program: SqaProgram;
  /** Folder that keeps the user's secret; the user's state folder where left out. */
  readonly state?: string | undefined;
}

/** Dashboard that is being served. */
export interface Dashboard {
  /** Address with the token, to be opened in a browser. */
  readonly url: string;
  readonly port: number;
  readonly token: string;
  /** Ends the server and the playground's process; work that the page began goes on. */
  close(): Promise<void>;
}

/** Folder of the built page: dist/dashboard, also where this file is not compiled. */
function pageFolder(): string {
  const source = import.meta.url.endsWith(".ts");
  return fileURLToPath(new URL(source ? "../../dist/dashboard" : "../dashboard", import.meta.url));
}

const mostBody = 8 * 2 ** 20;

/**
 * Serves the dashboard of a folder of runs on 127.0.0.1. Loads no libtorch.
 *
 * @throws Error where the port is taken, the folder cannot be made, or that of models is missing
 * @example
 * const dashboard = await startDashboard({ runs: "runs", results: "results", port: 0, program: ["sqa"] });
 * console.log(dashboard.url);
 */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  makeFolder(options.runs);
  const runs = realpathSync.native(options.runs);
  const models = options.models === undefined ? undefined : existing(options.models);
  if (entryAt(options.results) !== undefined) checkIsFolder("results", options.results);
  const token = randomSecret();
  let port = options.port;
  const access = { token, session: sessionOf(keptSecret(options.state), runs), port: () => port };
  const worker = new PlaygroundWorker();
  const jobs = new Jobs(join(runs, ".work"), options.program);
  const app = new Hono();
  app.use(guard(access));
  const tooLong = (c: Context) => failure(c, 413, `request: at most ${mostBody} bytes`);
  app.use(bodyLimit({ maxSize: mostBody, onError: tooLong }));
  const list = new RunList(runs);
  app.route("/api", runRoutes(list));
  app.route("/api", streamRoute(list, jobs));
  app.route("/api", auditRoutes(runs, options.results));
  app.route("/api", workRoutes(runs, jobs));
  app.route("/api", playgroundRoutes({ models, runs }, worker));
  app.route("/", pageRoutes(pageFolder()));
  app.notFound((c) => failure(c, 404, "there is nothing here"));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return failure(c, error.status as 400, error.message);
    return failure(c, 500, error.message);
  });
  const server = await listening(app, options.port);
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${port}/?token=${token}`,
    port,
    token,
    async close() {
      worker[Symbol.dispose]();
      await new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      });
    },
  };
}

/** Real path of a folder of models. */
function existing(folder: string): string {
  if (entryAt(folder) === undefined) throw new MissingFileError(`folder of models ${folder} does not exist`);
  checkIsFolder("models", folder);
  return realpathSync.native(folder);
}

function checkIsFolder(what: string, path: string): void {
  if (statusAt(path)?.isDirectory() !== true) throw new Error(`${what}: ${path} is no folder; give a folder`);
}

function listening(app: Hono, port: number): Promise<Server> {
  const taken = `port ${port} is taken: give another, or 0 for any that is free`;
  return new Promise((done, fail) => {
    const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port }, () => done(server as Server));
    server.on("error", (error: NodeJS.ErrnoException) => {
      fail(error.code === "EADDRINUSE" ? new Error(taken) : error);
    });
  });
}
