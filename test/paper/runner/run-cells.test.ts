import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defineAttack, fgsm, pgd } from "../../../src/attacks/index.js";
import { audit, evaluate } from "../../../src/evaluation/index.js";
import { small } from "../../../src/models/index.js";
import { keptAnswers, plansOf, trialStore } from "../../../src/paper/runner/kept-evaluation.js";
import { runCells } from "../../../src/paper/runner/run-cells.js";
import { machineWith } from "../../../src/paper/runner/share-machine.js";
import { cellOf, storedCell } from "../../../src/paper/runner/stored-cell.js";
import { modelFromRun, RunFolder, runName } from "../../../src/training/index.js";
import { liveCount } from "../../live-count.js";
import { followed, tinyCell } from "./cells.js";

const never = new AbortController().signal;
let runs: string;
beforeAll(() => {
  runs = mkdtempSync(join(tmpdir(), "sqa-cells-"));
});
afterAll(() => rmSync(runs, { recursive: true, force: true }));

const run = (cell: ReturnType<typeof tinyCell>, signal = never) =>
  followed(runCells([cell], { runs, device: "cpu" }, signal));

describe("cells", () => {
  it("are trained and evaluated where something is missing, and nothing is done twice", async () => {
    const before = liveCount();
    const cell = tinyCell(0);
    const first = await run(cell);
    expect(first.events.some((event) => event.type === "train" && event.event.type === "step")).toBe(true);
    // What is finished is read from small files: the weights may be elsewhere.
    const { weights } = RunFolder.for(cell.config, runs);
    renameSync(weights, `${weights}.elsewhere`);
    const second = await run(cell);
    renameSync(`${weights}.elsewhere`, weights);
    expect(second.events.map((event) => event.type)).toEqual(["outcome"]);
    expect(second.outcomes).toEqual(first.outcomes);
    const folder = RunFolder.for(cell.config, runs).path;
    const kept = readdirSync(folder).filter((name) => name.startsWith("evaluation-"));
    // As it is, without noise, and from the surrogate.
    expect(kept).toHaveLength(3);
    const file = join(folder, kept[0]!);
    const whole = readFileSync(file, "utf8");
    writeFileSync(file, whole.slice(0, 40));
    await expect(run(cell)).rejects.toThrow(`${file}: `);
    writeFileSync(
      file,
      whole
        .replace(/"accuracy": [\d.]+/, '"accuracy": null')
        .replace(/"robustAccuracy": [\d.]+/, '"robustAccuracy": null'),
    );
    await expect(run(cell)).rejects.toThrow(/evaluation-.*missing; delete the file to evaluate again/);
    writeFileSync(file, whole.replace('"device": "cpu"', '"device": 1'));
    await expect(run(cell)).rejects.toThrow(/evaluation-.*device.*; delete the file to evaluate again/);
    // An earlier version kept no machine.
    writeFileSync(file, JSON.stringify({ ...JSON.parse(whole), machine: undefined }));
    const earlier = (await run(cell)).outcomes!.flatMap(({ answers }) => Object.values(answers));
    expect(earlier.some(({ machine }) => machine === undefined)).toBe(true);
    writeFileSync(file, whole);
    // Tensors that other tests dropped may be collected meanwhile.
    expect(liveCount()).toBe(before);
  });

  it("answer each question by its key, as an evaluation of the run's model does", async () => {
    const cell = tinyCell(0);
    const { outcomes } = await run(cell);
    const { answers, run: folder } = outcomes![0]!;
    expect(Object.keys(answers).sort()).toEqual(["clean", "fgsm", "noise-free fgsm", "surrogate"]);
    const { model, config } = modelFromRun(folder);
    const attacks = [fgsm({ epsilon: 0.1 })];
    const asTrained = await evaluate(model, config.data, { attacks, limit: 16, draws: 10 });
    const noiseFree = await evaluate(model.classifier({ noiseFree: true }), config.data, {
      attacks,
      limit: 16,
    });
    model.module.dispose();
    expect(answers.clean!.accuracy).toBe(asTrained.clean.accuracy);
    expect(answers.fgsm!.accuracy).toBe(asTrained.attacks[0]!.robustAccuracy);
    expect(answers["noise-free fgsm"]!.accuracy).toBe(noiseFree.attacks[0]!.robustAccuracy);
    expect(answers.fgsm).toMatchObject({ images: 16, low: asTrained.attacks[0]!.low });
    for (const { machine } of Object.values(answers)) expect(machine).toEqual(machineWith("cpu"));
  });

  it("evaluate what is asked anew, and keep what was asked before", async () => {
    const cell = tinyCell(0);
    await run(cell);
    const wider = {
      ...cell,
      questions: [...cell.questions, { key: "more", attack: fgsm({ epsilon: 0.2 }), limit: 4 }],
    };
    const { events, outcomes } = await run(wider);
    const asked = events.flatMap((event) =>
      event.type === "evaluate" && event.event.type === "progress" ? [event.event.attack] : [],
    );
    expect(new Set(asked.map(String))).toEqual(new Set(["clean", "fgsm(epsilon=0.2)"]));
    expect(outcomes![0]!.answers.more!.images).toBe(4);
  });

  it("audit the model once where they are asked to, and keep the worst case with its verdict", async () => {
    const claim = pgd({ epsilon: 0.1, steps: 2 });
    const cell = tinyCell(0, 1, [{ key: "audit", attack: claim, audit: "quick", limit: 4 }]);
    const { events, outcomes } = await run(cell);
    expect(events.some((event) => event.type === "audit" && event.done > 0 && event.seconds > 0)).toBe(true);
    const { answers, run: folder } = outcomes![0]!;
    const { model, config } = modelFromRun(folder);
    // Goes on from the trials that are kept there, if it is the same audit.
    const report = await audit(model, config.data.test, { claim, budget: "quick", limit: 4, folder });
    model.module.dispose();
    const { accuracy, low, high } = report.worst;
    const machine = machineWith("cpu");
    expect(answers.audit).toEqual({ accuracy, low, high, images: 4, verdict: report.verdict.name, machine });
    expect((await run(cell)).events.map((event) => event.type)).toEqual(["outcome"]);
    const [file] = readdirSync(folder).filter((name) => name.startsWith("verdict-"));
    writeFileSync(join(folder, file!), '{ "answer": { "accuracy": 2 } }');
    await expect(run(cell)).rejects.toThrow(/verdict-.*; delete the file to audit again/);
    rmSync(join(folder, file!));
  }, 180_000);

  it("stop when they are aborted in training, without an outcome", async () => {
    const abort = new AbortController();
    const { events, outcomes } = await followed(
      runCells([tinyCell(1)], { runs, device: "cpu" }, abort.signal),
      (event) => {
        if (event.type === "train" && event.event.type === "step") abort.abort();
      },
    );
    expect(outcomes).toBeUndefined();
    expect(events.some((event) => event.type === "train" && event.event.type === "stopped")).toBe(true);
  });

  it("stop when they are aborted in an evaluation, which is not kept", async () => {
    const abort = new AbortController();
    const cell = tinyCell(2);
    const { outcomes } = await followed(runCells([cell], { runs, device: "cpu" }, abort.signal), (event) => {
      if (event.type === "evaluate") abort.abort();
    });
    expect(outcomes).toBeUndefined();
    const folder = RunFolder.for(cell.config, runs);
    expect(folder.result).toBeDefined();
    expect(plansOf(cell.questions).map((plan) => keptAnswers(folder, plan))).toEqual(
      new Array(3).fill(undefined),
    );
  });

  it("repeat no attack that was through when another was stopped or failed", async () => {
    const times = { first: 0, second: 0 };
    let meet = () => {};
    const counted = (name: keyof typeof times) => {
      const { options, make } = fgsm;
      return defineAttack(name, {
        summary: "FGSM whose batches are counted",
        options,
        traits: (given) => make(given).traits,
        run: (given, ...rest) => {
          if (name === "second") meet();
          const found = make(given).search(...rest);
          // Not reached where the first gradient is only looked at.
          times[name]++;
          return found;
        },
      })({ epsilon: 0.1 });
    };
    for (const noiseFree of [false, true]) {
      Object.assign(times, { first: 0, second: 0 });
      const cell = tinyCell(
        0,
        1,
        (["first", "second"] as const).map((key) => ({ key, attack: counted(key), limit: 12, noiseFree })),
      );
      meet = () => {
        throw new Error("out of memory");
      };
      await expect(run(cell)).rejects.toThrow("tiny-seed0: second(epsilon=0.1): out of memory");
      const abort = new AbortController();
      meet = () => abort.abort();
      expect((await run(cell, abort.signal)).outcomes).toBeUndefined();
      meet = () => {};
      const { answers, run: path } = (await run(cell)).outcomes![0]!;
      expect(times).toEqual({ first: 1, second: 1 });
      expect(answers.first).toMatchObject({ images: 12 });
      expect(readdirSync(path).filter((name) => /^evaluation-\w+$/.test(name))).toEqual([]);
    }
  });

  it("begin an evaluation anew where its finished batches are of another model", async () => {
    const cell = tinyCell(0, 1, [{ key: "x", attack: fgsm({ epsilon: 0.3 }), limit: 8 }]);
    const folder = RunFolder.for(cell.config, runs);
    const [plan] = plansOf(cell.questions);
    const { split, model } = { split: cell.config.data.test, model: small().build({ seed: 3 }) };
    await evaluate(model, split, { attacks: [], limit: 8, store: trialStore(folder, plan!) });
    const { outcomes } = await run(cell);
    expect(outcomes![0]!.answers.x).toMatchObject({ images: 8 });
  });

  it("name a surrogate that the model does not have", async () => {
    const cell = tinyCell(0, 1, [{ key: "x", attack: fgsm(), limit: 4, surrogate: "twice" }]);
    await expect(run(cell)).rejects.toThrow(/has no "twice"; it has noise-free, staircase, range/);
  });

  it("come back from their texts as they were", () => {
    const cell = tinyCell(3, 2);
    const texts = JSON.parse(JSON.stringify(storedCell(cell)));
    const again = cellOf(texts);
    expect(runName(again.config)).toBe(runName(cell.config));
    expect(storedCell(again)).toEqual(texts);
    expect(again.questions[1]!.attack!.traits.radius).toBe(0.1);
  });
});
