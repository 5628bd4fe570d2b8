import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Job } from "../../src/server/api.js";
import { Jobs } from "../../src/server/work/jobs.js";
import { Served, writeRun } from "./served.js";

let served: Served;

/** Stands for the command line: says how it was called, and runs until it is asked to stop. */
const program = `
  const { readFileSync, writeFileSync } = require("node:fs");
  const words = process.argv.slice(1);
  const config = words.includes("--config") ? readFileSync(words.at(-1), "utf8") : null;
  console.log("\\x1b[31mred\\x1b[0m\\u0007 " + JSON.stringify({ words, config }));
  process.on("SIGTERM", () => { console.log("stopping"); process.exit(config === null ? 143 : 3); });
  setInterval(() => {}, 1000);`;

const options = { program: [process.execPath, "-e", program, "--"] } as const;

beforeAll(async () => {
  served = await Served.start(options);
  writeRun(served.runs, "one");
});
afterAll(() => served[Symbol.asyncDispose]());

async function jobOf(id: string, fits: (job: Job) => boolean): Promise<Job> {
  const end = Date.now() + 30_000;
  for (;;) {
    const job = (await served.json<Job[]>("/api/jobs")).find((one) => one.id === id);
    if (job !== undefined && fits(job)) return job;
    if (Date.now() > end) throw new Error(`the job is ${JSON.stringify(job)}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

async function begin(body: object): Promise<Job> {
  const { status, text } = await served.post("/api/jobs", body);
  expect(status).toBe(201);
  return JSON.parse(text) as Job;
}

const calledWith = ({ log }: Job) =>
  JSON.parse(log.slice(log.indexOf("{"), log.indexOf("\n"))) as { words: string[]; config: string | null };
const hasSpoken = ({ log }: Job) => log.includes("}\n");

describe("work of the page", () => {
  it("is the command line's, with the configuration as a file", async () => {
    const text = "model: small\nimages: mnist\n";
    const { id, state } = await begin({ kind: "train", config: text });
    expect(state).toBe("running");
    const { words, config } = calledWith(await jobOf(id, hasSpoken));
    const file = join(served.runs, ".work", id, "config.yaml");
    expect(words).toEqual(["train", "--runs", served.runs, "--config", file]);
    expect(config).toBe(text);
    expect(readFileSync(file, "utf8")).toBe(text);
    await served.post(`/api/jobs/${id}/stop`, {});
    const ended = await jobOf(id, (job) => job.state === "ended" && job.code !== null);
    expect(ended).toMatchObject({ kind: "train", run: "", code: 3 });
    expect((await served.post(`/api/jobs/${id}/stop`, {})).status).toBe(409);
  });

  it("goes on with a run, and audits one", async () => {
    const resumed = await begin({ kind: "resume", run: "one" });
    const path = join(served.runs, "one");
    expect(calledWith(await jobOf(resumed.id, hasSpoken)).words).toEqual(["train", path]);
    const audit = await begin({ kind: "audit", run: "one", config: "budget: quick" });
    expect(calledWith(await jobOf(audit.id, hasSpoken)).words.slice(0, 2)).toEqual(["audit", path]);
    for (const { id } of [resumed, audit]) await served.post(`/api/jobs/${id}/stop`, {});
    for (const { id } of [resumed, audit]) await jobOf(id, ({ state }) => state === "ended");
  });

  it("shows what it wrote as plain text", async () => {
    const { id } = await begin({ kind: "resume", run: "one" });
    const { log } = await jobOf(id, hasSpoken);
    expect(log).toMatch(/^red \{/);
    await served.post(`/api/jobs/${id}/stop`, {});
    await jobOf(id, ({ state }) => state === "ended");
  });

  it("outlives the server, and a restarted one finds and stops it", async () => {
    const { id, pid } = await begin({ kind: "train", config: "a: 1" });
    await jobOf(id, hasSpoken);
    await served.dashboard.close();
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    await served.restart(options);
    expect((await jobOf(id, () => true)).state).toBe("running");
    expect((await served.post(`/api/jobs/${id}/stop`, {})).status).toBe(200);
    await jobOf(id, ({ state }) => state === "ended");
  });

  it("that cannot be started is said, and the server goes on", async () => {
    const folder = join(served.top, "jobs");
    const jobs = new Jobs(folder, [join(served.top, "nowhere")]);
    const job = { kind: "train", run: "", words: ["train"], config: undefined } as const;
    expect(() => jobs.start(job)).toThrow(`train could not be started: ${join(served.top, "nowhere")}`);
    // The process's error comes after the answer: without a listener it would end the server.
    await new Promise((done) => setTimeout(done, 50));
    expect(jobs.list()).toEqual([]);
  });

  it("is not taken for another process by its number", async () => {
    const { id } = await begin({ kind: "train", config: "a: 1" });
    await jobOf(id, hasSpoken);
    await served.post(`/api/jobs/${id}/stop`, {});
    await jobOf(id, ({ state, code }) => state === "ended" && code !== null);
    const file = join(served.runs, ".work", id, "job.json");
    const record = JSON.parse(readFileSync(file, "utf8")) as object;
    // A record that names this very process, as one copied from elsewhere may.
    writeFileSync(file, JSON.stringify({ ...record, pid: process.pid, started: "12", code: null }));
    expect((await jobOf(id, () => true)).state).toBe("ended");
    expect((await served.post(`/api/jobs/${id}/stop`, {})).status).toBe(409);
    writeFileSync(file, '{"pid":');
    expect((await served.get("/api/jobs")).status).toBe(200);
  });
});
