import { appendFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { RunDetail } from "../../src/server/api.js";
import { epoch, lines, Served, writeRun } from "./served.js";

let served: Served;

beforeAll(async () => {
  served = await Served.start();
});
afterAll(() => served[Symbol.asyncDispose]());

interface Told {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/** Page that listens, as a browser's EventSource does. */
class Listener {
  readonly told: Told[] = [];
  readonly #request;
  #rest = "";

  constructor(path: string, lastId?: string) {
    const headers = { ...served.bearer, ...(lastId === undefined ? {} : { "Last-Event-ID": lastId }) };
    this.#request = get({ host: "127.0.0.1", port: served.dashboard.port, path, headers }, (answer) => {
      answer.setEncoding("utf8");
      answer.on("error", () => {});
      answer.on("data", (text: string) => this.#take(text));
    });
    this.#request.on("error", () => {});
    onTestFinished(() => this.close());
  }

  #take(text: string): void {
    const blocks = (this.#rest + text).split("\n\n");
    this.#rest = blocks.pop()!;
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, "m").exec(block)?.[1] ?? "";
      this.told.push({ event: field("event"), id: field("id"), data: field("data") });
    }
  }

  /** Epochs that were told so far. */
  get epochs(): number[] {
    return this.told
      .filter(({ event }) => event === "logged")
      .flatMap(({ data }) => (JSON.parse(data) as { events: { epoch: number }[] }).events)
      .map((event) => event.epoch);
  }

  close(): void {
    this.#request.destroy();
  }
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error("it did not come to pass within 20 s");
    await new Promise((done) => setTimeout(done, 20));
  }
}

async function cursorOf(name: string): Promise<string> {
  return `~~${(await served.json<RunDetail>(`/api/runs/${name}`)).cursor}`;
}

describe("the stream of a page", () => {
  it("tells what a run logs behind what was loaded", async () => {
    const file = join(writeRun(served.runs, "one", { events: [epoch(1)] }), "events.jsonl");
    const listener = new Listener(`/api/stream?run=one&after=${await cursorOf("one")}`);
    await until(() => listener.told.some(({ event }) => event === "hello"));
    appendFileSync(file, lines([epoch(2)]));
    await until(() => listener.epochs.length === 1);
    // Half a line is no event yet.
    const next = lines([epoch(3)]);
    appendFileSync(file, next.slice(0, 30));
    await new Promise((done) => setTimeout(done, 300));
    appendFileSync(file, next.slice(30));
    await until(() => listener.epochs.length === 2);
    expect(listener.epochs).toEqual([2, 3]);
  });

  it("goes on by the last id where it broke, also with a server that was started again", async () => {
    const file = join(writeRun(served.runs, "two", { events: [epoch(1)] }), "events.jsonl");
    const first = new Listener(`/api/stream?run=two&after=${await cursorOf("two")}`);
    appendFileSync(file, lines([epoch(2)]));
    await until(() => first.epochs.length === 1);
    const { id } = first.told.filter(({ event }) => event === "logged").at(-1)!;
    first.close();
    appendFileSync(file, lines([epoch(3)]));
    const { port } = served.dashboard;
    await served.dashboard.close();
    appendFileSync(file, lines([epoch(4)]));
    await served.restart({ port });
    const second = new Listener("/api/stream?run=two&after=~~0-0-0-0", id);
    await until(() => second.epochs.length === 2);
    expect(second.epochs).toEqual([3, 4]);
  });

  it("says so where a log was begun anew", async () => {
    const file = join(
      writeRun(served.runs, "three", { events: [epoch(1), epoch(2), epoch(3)] }),
      "events.jsonl",
    );
    const listener = new Listener(`/api/stream?run=three&after=${await cursorOf("three")}`);
    await until(() => listener.told.length > 0);
    // As a run that was killed and goes on takes back what it wrote after its checkpoint.
    writeFileSync(`${file}.new`, lines([epoch(1)]));
    renameSync(`${file}.new`, file);
    await until(() => listener.told.some(({ event }) => event === "anew"));
    appendFileSync(file, lines([epoch(2)]));
    await until(() => listener.epochs.length === 1);
    expect(listener.epochs).toEqual([2]);
  });

  it("tells of runs that come and go, once for a change", async () => {
    const listener = new Listener("/api/stream");
    const changes = () => listener.told.filter(({ event }) => event === "runs").length;
    await until(() => changes() === 1);
    const folder = writeRun(served.runs, "four");
    await until(() => changes() >= 2);
    await new Promise((done) => setTimeout(done, 1500));
    const before = changes();
    await new Promise((done) => setTimeout(done, 1500));
    expect(changes()).toBe(before);
    rmSync(folder, { recursive: true });
    await until(() => changes() > before);
  });

  it("leaves nothing at work behind a page that is gone, nor behind a HEAD", async () => {
    writeRun(served.runs, "five", { events: [epoch(1)] });
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    await new Promise((done) => setTimeout(done, 500));
    const before = timers();
    for (let i = 0; i < 5; i++) {
      const { status, headers } = await served.send("/api/stream?run=five", {
        method: "HEAD",
        headers: served.bearer,
      });
      expect([status, headers["content-type"]]).toEqual([200, "text/event-stream"]);
      const listener = new Listener("/api/stream?run=five");
      await until(() => listener.told.length > 0);
      listener.close();
    }
    // A few are of the runner's own.
    await until(() => timers() <= before + 2);
  });

  it("refuses what is not there", async () => {
    expect((await served.get("/api/stream?run=none")).status).toBe(404);
    expect((await served.get("/api/stream?run=one&audit=audit-none")).status).toBe(404);
  });
});
