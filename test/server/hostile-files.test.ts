import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuditDetail, AuditSummary, RunDetail, RunPage } from "../../src/server/api.js";
import { alarm, epoch, Served, writeRun } from "./served.js";

let served: Served;
const secret = "TOP-SECRET-7431";

beforeAll(async () => {
  served = await Served.start();
  writeFileSync(join(served.top, "outside.json"), JSON.stringify({ model: secret }));
  writeFileSync(join(served.top, "outside.png"), secret);
  writeFileSync(join(served.top, "outside.html"), secret);
});
afterAll(() => served[Symbol.asyncDispose]());

const detailOf = (name: string) => served.json<RunDetail>(`/api/runs/${encodeURIComponent(name)}`);

describe("paths", () => {
  it("lead nowhere but into the folder of runs", async () => {
    writeRun(served.runs, "inside");
    const ways = [
      "..",
      "%2e%2e",
      "..%2f..",
      "..%2foutside.json",
      "%2fetc",
      "..%5c..",
      ".%00",
      "%2e",
      ".work",
      "~",
    ];
    const places = (way: string) => [
      `/api/runs/${way}`,
      `/api/runs/${way}/images/outside.png`,
      `/api/runs/inside/images/${way}%2f..%2foutside.png`,
      `/api/audits/${way}/audit-x`,
      `/api/audits/inside/${way}`,
      `/api/audits/inside/audit-${way}`,
      `/api/audits/inside/${way}/page`,
      `/api/paper/${way}/figure`,
      `/api/stream?run=${way}`,
      `/api/stream?run=inside&audit=${way}`,
      `/assets/${way}`,
      `/assets/${way}%2findex.html`,
      `/${way}/outside.json`,
    ];
    for (const path of ways.flatMap(places)) {
      const { status, text } = await served.get(path);
      // A parent of the top is the top itself: the page.
      const isPage = status === 200 && text.startsWith("<!doctype html>");
      expect([path, isPage || status === 404 || status === 400]).toEqual([path, true]);
      expect(text).not.toContain(secret);
    }
    const compared = await served.get("/api/compare?run=..&run=../outside.json&run=inside");
    expect(JSON.parse(compared.text).runs).toHaveLength(1);
  });

  it("out of the folder by links are refused", async () => {
    const outside = join(served.top, "elsewhere");
    writeRun(served.top, "elsewhere", { model: secret });
    symlinkSync(outside, join(served.runs, "linked-run"));
    const folder = writeRun(served.runs, "links", { events: [epoch(1)] });
    mkdirSync(join(folder, "images"));
    symlinkSync(join(served.top, "outside.png"), join(folder, "images", "a.png"));
    symlinkSync(join(served.top, "outside.json"), join(folder, "result.json"));
    const audit = join(folder, "audit-quick-00000000");
    mkdirSync(audit);
    symlinkSync(join(served.top, "outside.html"), join(audit, "audit.html"));
    symlinkSync(join(served.top, "outside.json"), join(audit, "audit.json"));
    symlinkSync(served.top, join(audit, "images"));
    symlinkSync(served.top, join(audit, "trials"));
    symlinkSync(served.top, join(folder, "audit-quick-11111111"));
    symlinkSync(join(served.top, "outside.json"), join(served.results, "table1.json"));
    expect((await served.get("/api/runs/linked-run")).status).toBe(404);
    expect((await served.get("/api/runs/links/images/a.png")).status).toBe(404);
    expect((await served.get("/api/audits/links/audit-quick-00000000/page")).status).toBe(404);
    const linked = await served.json<AuditDetail>("/api/audits/links/audit-quick-00000000");
    expect(linked.hasPage).toBe(false);
    expect((await served.get("/api/audits/links/audit-quick-00000000/images/outside.png")).status).toBe(404);
    expect((await served.get("/api/audits/links/audit-quick-11111111")).status).toBe(404);
    const answers = ["runs", "runs/links", "audits", "audits/links/audit-quick-00000000", "paper"];
    for (const path of answers) {
      const { status, text } = await served.get(`/api/${path}`);
      expect([path, status]).toEqual([path, 200]);
      expect(text).not.toContain(secret);
    }
    expect((await served.json<RunPage>("/api/runs")).runs.map(({ name }) => name)).not.toContain(
      "linked-run",
    );
  });
});

describe("what is no run", () => {
  it("is passed over in the list, and harms no other", async () => {
    writeRun(served.runs, "beside-others", { events: [epoch(1)] });
    execFileSync("mkfifo", [join(served.runs, "pipe-for-a-run")]);
    symlinkSync("beside-others/config.json", join(served.runs, "link-to-a-file"));
    symlinkSync("link-to-itself", join(served.runs, "link-to-itself"));
    const { status, text } = await served.get("/api/runs?limit=200");
    expect(status).toBe(200);
    const names = (JSON.parse(text) as RunPage).runs.map(({ name }) => name);
    expect(names).toContain("beside-others");
    for (const none of ["pipe-for-a-run", "link-to-a-file", "link-to-itself"]) {
      expect(names).not.toContain(none);
      expect((await served.get(`/api/runs/${none}`)).status).toBe(404);
    }
    expect((await served.get("/api/audits")).status).toBe(200);
  });

  it("nor an audit, has no audit's figures", async () => {
    const folder = writeRun(served.runs, "file-for-an-audit");
    writeFileSync(join(folder, "audit-quick-22222222"), "");
    expect((await served.get("/api/audits/file-for-an-audit/audit-quick-22222222")).status).toBe(404);
    expect((await served.get("/api/runs/file-for-an-audit")).status).toBe(200);
  });
});

describe("names", () => {
  it("that are markup are data in JSON, and nothing else", async () => {
    const name = '<img src=x onerror="alert(1)">';
    writeRun(served.runs, name, { model: "<script>alert(1)</script>", events: [epoch(1), alarm(1, "<b>")] });
    const { headers } = await served.get(`/api/runs/${encodeURIComponent(name)}`);
    expect(headers["content-type"]).toContain("application/json");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    const { summary, alarms } = await detailOf(name);
    expect([summary.name, summary.model]).toEqual([name, "<script>alert(1)</script>"]);
    expect(alarms.map(({ kind }) => kind)).toEqual(["<b>"]);
  });
});

describe("broken files", () => {
  const broken: Readonly<Record<string, (folder: string) => void>> = {
    "config-no-json": (folder) => writeFileSync(join(folder, "config.json"), "{"),
    "config-list": (folder) => writeFileSync(join(folder, "config.json"), "[1]"),
    "config-deep": (folder) => writeFileSync(join(folder, "config.json"), "[".repeat(100_000)),
    "config-proto": (folder) => writeFileSync(join(folder, "config.json"), '{"__proto__":{"a":1}}'),
    "result-broken": (folder) => writeFileSync(join(folder, "result.json"), '{"last":null}'),
    "config-huge": (folder) => truncateSync(join(folder, "config.json"), 1e10),
    "config-folder": (folder) => {
      execFileSync("rm", [join(folder, "config.json")]);
      mkdirSync(join(folder, "config.json"));
    },
  };

  it("make a run damaged, with the fault in words, and harm no other", async () => {
    writeRun(served.runs, "whole", { events: [epoch(1)] });
    for (const [name, harm] of Object.entries(broken)) harm(writeRun(served.runs, name));
    const { runs } = await served.json<RunPage>("/api/runs?limit=200");
    const state = (name: string) => runs.find((run) => run.name === name);
    for (const name of Object.keys(broken)) {
      expect([name, state(name)?.state]).toEqual([name, "damaged"]);
      expect(state(name)!.problem).toMatch(/^(config|result)\.json: /);
      expect((await served.get(`/api/runs/${name}`)).status).toBe(200);
    }
    expect(state("whole")!.state).toBe("stopped");
  });

  it("in a log are counted, and the rest is shown", async () => {
    const folder = writeRun(served.runs, "log", { events: [epoch(1)] });
    const line = `${JSON.stringify(epoch(2))}\n`;
    const junk = [
      '{"type":"epoch"}',
      "\0\0\0",
      '{"type":"other"}',
      "[".repeat(1000),
      '{"type":"epoch","epoch":"1"}',
    ];
    writeFileSync(
      join(folder, "events.jsonl"),
      `${JSON.stringify(epoch(1))}\n${junk.join("\n")}\n${line}{"type":`,
    );
    const { events, problems, summary } = await detailOf("log");
    expect(events.map((event) => event.epoch)).toEqual([1, 2]);
    expect(problems).toEqual([`events.jsonl and steps.jsonl: ${junk.length} lines are no events`]);
    expect(summary.epoch).toBe(2);
  });

  it("that are pipes hold nobody up", async () => {
    const folder = writeRun(served.runs, "pipe");
    execFileSync("mkfifo", [join(folder, "events.jsonl"), join(folder, "steps.jsonl"), join(folder, "lock")]);
    expect((await detailOf("pipe")).events).toEqual([]);
  });

  it("of a lock name no process", async () => {
    const folder = writeRun(served.runs, "lock", { events: [epoch(1)] });
    for (const text of ["", "{}", '{"pid":1,"started":"0","host":"elsewhere', '{"pid":-1}']) {
      writeFileSync(join(folder, "lock"), text);
      expect((await detailOf("lock")).summary.state).toBe("stopped");
    }
  });

  it("of an audit are told of, and the rest is shown", async () => {
    const folder = join(writeRun(served.runs, "audited"), "audit-quick-0a1b2c3d");
    const trial = join(folder, "trials", "0123456789ab");
    mkdirSync(trial, { recursive: true });
    const record = { id: "clean", even: [1, 0], odd: [0, 0], draws: 1, seconds: 1 };
    writeFileSync(join(trial, "00000-00001.json"), JSON.stringify(record));
    writeFileSync(join(trial, "00002-00003.json"), "{");
    writeFileSync(join(folder, "audit.json"), '{"verdict":');
    writeFileSync(join(folder, "plan.json"), '{"images":-1}');
    const detail = await served.json<AuditDetail>("/api/audits/audited/audit-quick-0a1b2c3d");
    expect(detail.trials).toMatchObject([{ id: "clean", done: 2, accuracy: 0.5 }]);
    expect(detail.problems).toHaveLength(3);
    const list = await served.json<AuditSummary[]>("/api/audits");
    expect(list.find(({ run }) => run === "audited")!.verdict).toBe("its audit.json is damaged");
  });
});
