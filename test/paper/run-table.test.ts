import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { apgdT, fgsm } from "../../src/attacks/index.js";
import { imagesOf, mnist } from "../../src/datasets/index.js";
import { setThreads, threads } from "../../src/engine/index.js";
import { type Architecture, modelOf, small } from "../../src/models/index.js";
import {
  type AccuracyData,
  clean,
  contenderRows,
  defineAccuracyTable,
  defineTable,
  runTable,
  shareMachine,
  type TableEvent,
  table1,
  tables,
} from "../../src/paper/index.js";

let runs: string;
beforeAll(() => {
  runs = mkdtempSync(join(tmpdir(), "sqa-table-"));
});
afterAll(() => rmSync(runs, { recursive: true, force: true }));

const tiny = { limit: 64, batchSize: 32, epochs: 1, validationImages: 8, validationAttacks: [] } as const;

const own = defineAccuracyTable("own", {
  summary: "a table of a user's own",
  title: "A table of a user's own",
  options: z.strictObject({ seeds: z.int().default(1), limit: z.int().default(8) }),
  columns: [clean, { key: "fgsm", title: "FGSM", attack: fgsm({ epsilon: 0.1 }) }],
  rows: (options) => contenderRows(small(), { ...tiny, data: mnist() }, options),
});

describe("a table", () => {
  it("is awaited for its result, which finished runs give again without training", async () => {
    const result = await runTable(own, { seeds: 1 }, { runs, jobs: 1 });
    const { rows } = result.data as AccuracyData;
    expect(rows.map(({ key }) => key)).toEqual(["small-full", "small-sqa"]);
    for (const { measured } of rows)
      expect(measured.fgsm).toMatchObject({ images: 8, values: [expect.any(Number)] });
    const events: TableEvent[] = [];
    const work = runTable(own, { seeds: 1 }, { runs, jobs: 1 });
    for await (const event of work) events.push(event);
    expect(events.map(({ type }) => type)).toEqual(["start", "outcome", "rows", "outcome"]);
    expect((await work).data).toEqual(result.data);
  });

  it("tells its runs first, and its rows as they become whole", async () => {
    const events: TableEvent[] = [];
    for await (const event of runTable(own, {}, { runs, jobs: 1 })) events.push(event);
    expect(events[0]).toEqual({
      type: "start",
      table: "own",
      cells: ["small-full-seed0", "small-sqa-seed0"],
      jobs: 1,
    });
    const [partial] = events.flatMap((event) => (event.type === "rows" ? [event.result] : []));
    expect(partial!.complete).toBe(false);
    expect((partial!.data as AccuracyData).rows.map(({ key }) => key)).toEqual(["small-full"]);
  });

  it("is the same from several processes at a time", { timeout: 120_000 }, async () => {
    const other = mkdtempSync(join(tmpdir(), "sqa-table-jobs-"));
    const before = threads();
    const apart = await runTable(own, { limit: 4 }, { runs: other, jobs: 2, threads: 1 });
    expect(threads()).toBe(before);
    setThreads(1);
    const alone = await runTable(
      own,
      { limit: 4 },
      { runs: mkdtempSync(join(other, "alone-")), jobs: 1, threads: 1 },
    );
    setThreads(before);
    rmSync(other, { recursive: true });
    const measured = ({ data }: { data: object }) => (data as AccuracyData).rows.map((row) => row.measured);
    expect(measured(apart)).toEqual(measured(alone));
  });

  it("of a model of the user's own is made in one process, with the whole machine", async () => {
    const build = (seed: number) => small().build({ seed }).module;
    const activations = { "first-layer": ["relu1"] };
    const model = modelOf(build, { name: "mine", inputShape: [1, 28, 28], classes: 10, activations });
    const mine = defineAccuracyTable("mine", {
      summary: "a table of a user's own model",
      title: "A table of a user's own model",
      options: z.strictObject({ seeds: z.int().default(2) }),
      columns: [clean],
      rows: (options) => contenderRows(model, { ...tiny, data: mnist() }, options),
    });
    const before = threads();
    for (const jobs of [undefined, 2]) {
      const abort = new AbortController();
      const work = runTable(mine, {}, { runs, jobs, signal: abort.signal });
      for await (const event of work) {
        if (event.type !== "start") continue;
        expect([event.jobs, threads()]).toEqual([1, before]);
        abort.abort();
        break;
      }
    }
  });

  it("stops with its signal's reason, and goes on from there", async () => {
    const abort = new AbortController();
    const work = runTable(own, { seeds: 2 }, { runs, jobs: 1, signal: abort.signal });
    for await (const event of work) if (event.type === "outcome") abort.abort(new Error("enough"));
    await expect(work).rejects.toThrow(/enough|aborted/);
    const { data } = await runTable(own, { seeds: 2 }, { runs, jobs: 1 });
    expect((data as AccuracyData).rows.map(({ seeds }) => seeds)).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  it("refuses more test images than there are, before anything is trained", async () => {
    const events: TableEvent[] = [];
    const work = runTable(own, { limit: 10_001 }, { runs });
    const watch = async () => {
      for await (const event of work) events.push(event);
    };
    await expect(watch()).rejects.toThrow(
      "limit must be at most 10000, the test images of mnist, not 10001: give a limit of 10000 or less",
    );
    expect(events).toEqual([]);
  });

  it("refuses attacks that a model is no subject of, before anything is trained", async () => {
    const images = {
      images: new Uint8Array(9 * 784),
      labels: Uint8Array.from({ length: 9 }, (_, i) => i % 3),
    };
    const three = imagesOf({
      ...images,
      test: images,
      shape: [1, 28, 28],
      classes: ["a", "b", "c"],
      name: "three",
    });
    const table = (column: object, model: Architecture = small()) =>
      defineAccuracyTable("no-subject", {
        summary: "a table",
        title: "A table",
        options: z.strictObject({}),
        columns: [clean, { key: "asked", title: "asked", ...column }],
        rows: () =>
          contenderRows(
            model,
            { ...tiny, limit: 9, method: fgsm({ epsilon: 0.3 }), data: three },
            { seeds: 2 },
          ),
        limits: () => ({ limit: 9, attackLimit: 9 }),
      });
    const events: TableEvent[] = [];
    const watch = async (column: object, model?: Architecture) => {
      for await (const event of runTable(table(column, model), {}, { runs })) events.push(event);
    };
    await expect(watch({ attack: apgdT() })).rejects.toThrow(/^small-full-seed0: attack apgd-t: .*4 classes/);
    await expect(watch({ attack: fgsm(), surrogate: "noise-free" })).rejects.toThrow(
      /^small-full-seed0: no surrogate of the model is named "noise-free"; there is none$/,
    );
    const form = { name: "mine", inputShape: [1, 28, 28], classes: 3 } as const;
    const unplaced = modelOf((seed) => small({ classes: 3 }).build({ seed }).module, form);
    await expect(watch({}, unplaced)).rejects.toThrow(/^model mine names no places for quantizers/);
    expect(events).toEqual([]);
  });

  it.each(["table3", "collapse"])("%s refuses more strong attacks than its own limit", async (name) => {
    await expect(runTable(name, { attackLimit: 5000 }, { runs })).rejects.toThrow(
      "attackLimit must be at most limit, 1000, not 5000: give a limit as well",
    );
  });

  it("refuses rows and columns that it could not tell apart, and rows without a run", async () => {
    const parts = { summary: "a table", title: "A table", options: z.strictObject({}) };
    const rows = () => contenderRows(small(), { ...tiny, data: mnist() }, { seeds: 1 });
    const cellsOf = (given: object) =>
      defineAccuracyTable("wrong", { ...parts, columns: [clean], rows, ...given })().cells("cpu");
    expect(cellsOf({})).toHaveLength(2);
    expect(() => cellsOf({ rows: () => [...rows(), ...rows()] })).toThrow(
      'two rows have the key "small-full"',
    );
    expect(() => cellsOf({ columns: [clean, clean] })).toThrow('two columns have the key "clean"');
    expect(() => cellsOf({ rows: () => [{ ...rows()[0], seeds: 0 }] })).toThrow(
      "seeds of row small-full must be a whole number >= 1, not 0",
    );
  });

  it("joins with its earlier file also where nobody has registered it", async () => {
    const folder = join(runs, "results");
    const result = await runTable(own, {}, { runs, jobs: 1 });
    await result.write(folder);
    const again = await result.write(folder);
    expect(again.map((file) => file.slice(folder.length + 1))).toEqual(["own.json", "own.md"]);
  });

  it("is known by its name, once it is registered", () => {
    expect(() => runTable("own-by-name")).toThrow(/unknown table "own-by-name"/);
    const forget = tables.register(
      defineTable("own-by-name", {
        summary: "a number",
        title: "A number",
        options: z.strictObject({}),
        data: z.object({ number: z.number() }),
        gather: () => ({ number: 7 }),
        show: ({ number }) => ({
          table: { lead: 0, columns: ["number"], rows: [[number]] },
          notes: ["A note."],
        }),
      }),
    );
    const text = runTable("own-by-name").then((result) => result.text());
    forget();
    return expect(text).resolves.toBe("A number\n\nnumber\n──────\n     7\n\nA note.");
  });

  it.each([
    [() => runTable(table1, { seed: 1 }), 'unknown option "seed"; did you mean "seeds"?'],
    [
      () => runTable(table1, { epochs: 0 }),
      'option "epochs" cannot be 0; accepted: a whole number of at least 1',
    ],
    [() => runTable(table1, { model: ["smal"] }), 'unknown model "smal"; did you mean "small"?'],
    [() => runTable("tabel1"), 'unknown table "tabel1"; did you mean "table1"?'],
    [() => runTable(table1, {}, { jobs: 0 }), "jobs must be a whole number >= 1, not 0"],
    [() => runTable(table1, {}, { threads: 1.5 }), "threads must be a whole number >= 1, not 1.5"],
    [() => runTable(table1, {}, { device: "gpu" }), "gpu"],
    [() => runTable(table1, {}, { job: 2 } as object), 'unknown option "job"; did you mean "jobs"?'],
    [() => runTable(table1, {}, { runs: "" }), "runs must be the path of a folder"],
  ])("refuses what does not fit, before anything runs (%#)", (begin, message) => {
    expect(begin).toThrow(message);
  });
});

describe("the machine's share of a run", () => {
  it("is a processor for each of several runs on a CPU, and all of them for one", () => {
    const on = (jobs?: number, own?: number, device = "cpu") =>
      shareMachine(6, { jobs, threads: own, device });
    expect(on(undefined, undefined, "cuda")).toEqual({ jobs: 1, threads: undefined });
    expect(on(undefined, 2)).toEqual({ jobs: 1, threads: 2 });
    expect(on(3).jobs).toBe(3);
    expect(on(3).threads).toBeGreaterThanOrEqual(1);
    expect(on(100).jobs).toBe(6);
    expect(shareMachine(0, { device: "cpu" }).jobs).toBe(1);
  });
});
