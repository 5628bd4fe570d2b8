import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { processStart } from "../../src/base/index.js";
import type { Comparison, RunDetail, RunPage } from "../../src/server/api.js";
import { downSample } from "../../src/server/runs/down-sample.js";
import { alarm, epoch, finishRun, lines, Served, writeRun } from "./served.js";

let served: Served;

beforeAll(async () => {
  served = await Served.start();
  const { runs } = served;
  writeRun(runs, "a-stopped", { events: [epoch(1), epoch(2, { strong: 0.2 })] });
  finishRun(
    writeRun(runs, "b-finished", { defenses: [], seed: 3, events: [epoch(1)] }),
    epoch(4, { strong: 0.4 }),
  );
  const collapsed = writeRun(runs, "c-alarm", { method: "fgsm(epsilon=0.2)", events: [epoch(1)] });
  finishRun(collapsed, epoch(4, { strong: 0 }), [alarm(3)]);
  const running = writeRun(runs, "d-running");
  const owner = { pid: process.pid, started: processStart(process.pid), host: hostname() };
  writeFileSync(join(running, "lock"), JSON.stringify(owner));
});
afterAll(() => served[Symbol.asyncDispose]());

const names = async (query: string) =>
  (await served.json<RunPage>(`/api/runs?${query}`)).runs.map(({ name }) => name[0]).join("");

describe("the list of runs", () => {
  it("says where each stands", async () => {
    const { runs, total } = await served.json<RunPage>("/api/runs?sort=name&descending=false");
    expect(total).toBe(4);
    expect(runs.map(({ state }) => state)).toEqual(["stopped", "finished", "finished", "running"]);
    expect(runs[0]).toMatchObject({
      epoch: 2,
      epochs: 4,
      step: 20,
      clean: 0.9,
      weak: 0.6,
      strong: 0.2,
      loss: 0.5,
    });
    expect(runs[2]).toMatchObject({ epoch: 4, strong: 0, alarms: ["catastrophic-overfitting"], seconds: 4 });
    expect(runs[3]).toMatchObject({ epoch: null, clean: null, pid: process.pid });
  });

  it("is sorted by any column, what is not known last", async () => {
    expect(await names("sort=strong&descending=true")).toBe("bacd");
    expect(await names("sort=strong&descending=false")).toBe("cabd");
    expect(await names("sort=method&descending=false")).toBe("cabd");
    expect(await names("sort=seed&descending=true")).toMatch(/^b/);
    expect(await names("sort=alarms&descending=true")).toMatch(/^c/);
    expect((await served.get("/api/runs?sort=__proto__")).status).toBe(400);
  });

  it("is filtered by words and state, and paged", async () => {
    expect(await names("filter=sqa%20fgsm(epsilon%3D0.3&sort=name&descending=false")).toBe("ad");
    expect(await names("filter=OVERFITTING")).toBe("c");
    expect(await names("state=alarm")).toBe("c");
    expect(await names("state=running")).toBe("d");
    const page = await served.json<RunPage>("/api/runs?sort=name&descending=false&offset=1&limit=2&state=");
    expect(page.runs.map(({ name }) => name[0])).toEqual(["b", "c"]);
    expect([page.matching, page.total]).toEqual([4, 4]);
    expect((await served.get("/api/runs?limit=0")).status).toBe(400);
  });

  it("has no first attack of two where a run is validated by one, whatever that is", async () => {
    const only = { ...epoch(1), validation: [{ attack: "pgd(epsilon=0.3)", accuracy: 0.5 }] };
    const folder = writeRun(served.runs, "e-one-attack", { events: [only] });
    const { summary } = await served.json<RunDetail>("/api/runs/e-one-attack");
    expect(summary).toMatchObject({ weak: null, strong: 0.5, strongAttack: "pgd(epsilon=0.3)" });
    rmSync(folder, { recursive: true });
  });

  it("follows files, and a process that was killed", async () => {
    const folder = writeRun(served.runs, "e-changing", { events: [epoch(1)] });
    const now = async () => (await served.json<RunDetail>("/api/runs/e-changing")).summary;
    expect((await now()).epoch).toBe(1);
    appendFileSync(join(folder, "events.jsonl"), lines([epoch(2)]));
    expect((await now()).epoch).toBe(2);
    const lock = { pid: process.pid, started: "1", host: hostname() };
    writeFileSync(join(folder, "lock"), JSON.stringify(lock));
    expect((await now()).state).toBe("stopped");
  });
});

describe("a run", () => {
  it("shows few of many points, and none of the collapse is lost", async () => {
    const events = Array.from({ length: 10_000 }, (_, i) =>
      epoch(i + 1, { strong: i === 7321 ? 0.001 : 0.5 }),
    );
    const folder = writeRun(served.runs, "long", { events: [...events, alarm(7322)] });
    const steps = Array.from({ length: 5000 }, (_, i) => ({ step: i + 1, loss: 1, learningRate: 0.1 }));
    writeFileSync(join(folder, "steps.jsonl"), lines(steps));
    const detail = await served.json<RunDetail>("/api/runs/long");
    expect(detail.events.length).toBeLessThanOrEqual(600);
    expect(detail.steps.length).toBeLessThanOrEqual(1200);
    expect(detail.events.some((event) => event.epoch === 7322)).toBe(true);
    expect([detail.events[0]!.epoch, detail.events.at(-1)!.epoch]).toEqual([1, 10_000]);
    expect(detail.alarms).toMatchObject([{ epoch: 7322, message: "PGD accuracy collapsed" }]);
  });

  it("keeps lowest and highest of each stretch", () => {
    const points = Array.from(
      { length: 1000 },
      (_, i) => Math.sin(i * 0.7) + (i === 617 ? 9 : i === 44 ? -9 : 0),
    );
    const fewer = downSample(points, 50, (value) => value);
    expect(fewer.length).toBeLessThanOrEqual(50);
    expect([Math.max(...fewer), Math.min(...fewer)]).toEqual([Math.max(...points), Math.min(...points)]);
    expect([fewer[0], fewer.at(-1)]).toEqual([points[0], points.at(-1)]);
    expect(downSample([1, 2, 3], 50, (value) => value)).toEqual([1, 2, 3]);
  });

  it("is compared with others by its curves and its options", async () => {
    const path = "/api/compare?run=a-stopped&run=b-finished&run=none";
    const { runs, differences } = await served.json<Comparison>(path);
    expect(runs.map(({ name }) => name)).toEqual(["a-stopped", "b-finished"]);
    expect(runs[0]!.events.map((event) => event.epoch)).toEqual([1, 2]);
    expect(differences).toEqual([
      { option: "defenses", values: ['["sqa"]', "[]"] },
      { option: "seed", values: ["0", "3"] },
    ]);
  });
});
