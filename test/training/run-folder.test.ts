import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { FileFormatError } from "../../src/base/index.js";
import { versions } from "../../src/engine/index.js";
import { readSafetensors, type SafetensorsTensor, writeSealed } from "../../src/files/index.js";
import { small } from "../../src/models/index.js";
import {
  modelFromRun,
  modelFromWeights,
  RunFolder,
  saveWeights,
  type TrainConfigInput,
  type TrainEvent,
  TrainingSession,
  train,
  trainConfig,
} from "../../src/training/index.js";
import { type Progress, saveCheckpoint } from "../../src/training/run/checkpoint.js";
import { digits } from "./digits-folder.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-run-folder-"));
afterAll(() => rmSync(folder, { recursive: true }));
const data = digits(folder, { train: 30, test: 10 });
const runs = join(folder, "runs");
const config: TrainConfigInput = {
  model: "small",
  data,
  epochs: 2,
  batchSize: 10,
  defenses: ["sqa"],
  validationAttacks: ["fgsm"],
  validationImages: 10,
};
const run = RunFolder.for(trainConfig(config), runs);

type CollectOptions = { config?: TrainConfigInput; threads?: number; stopAfter?: number };
async function collect(options: CollectOptions = {}): Promise<TrainEvent[]> {
  const { stopAfter, config: trained = config, ...rest } = options;
  const controller = new AbortController();
  const events: TrainEvent[] = [];
  const given = { runs, threads: 1, signal: controller.signal, ...rest };
  for await (const event of train(trained, given)) {
    events.push(event);
    if (event.type === "step" && event.step === stopAfter) controller.abort();
  }
  return events;
}

const refusal = async (): Promise<string> => {
  const error = await collect().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FileFormatError);
  return (error as Error).message;
};

/** A run that stands after step 4 of 6, past its first epoch. */
beforeEach(async () => {
  rmSync(runs, { recursive: true, force: true });
  await collect({ stopAfter: 4 });
});

describe("the last checkpoint of a run", () => {
  test("keeps its name until the next is there, and is kept beside it", () => {
    const { checkpoint } = run;
    const old = readFileSync(checkpoint);
    const session = new TrainingSession(run.config);
    let stood: boolean | undefined;
    const progress = { step: 5, epochLoss: 0, epochSeconds: 0, seconds: 0 };
    // Is written as text in the course of it.
    const toJSON = () => {
      stood = existsSync(checkpoint);
      return progress;
    };
    saveCheckpoint(checkpoint, session.state, { ...progress, toJSON } as Progress, run.identity);
    session.dispose();
    expect(stood).toBe(true);
    expect(readFileSync(run.file("checkpoint.before.safetensors")).equals(old)).toBe(true);
    expect(modelFromRun(run.path)).toMatchObject({ finished: false, steps: 5 });
  });

  test("is opened where a run was killed before it had its name again", () => {
    const { checkpoint } = run;
    renameSync(checkpoint, run.file("checkpoint.before.safetensors"));
    expect(modelFromRun(run.path)).toMatchObject({ finished: false, steps: 4 });
    rmSync(run.file("checkpoint.before.safetensors"));
    expect(() => modelFromRun(run.path)).toThrow("has not reached its first checkpoint yet");
  });
});

describe("a damaged file of a run is named", () => {
  test("a checkpoint cut short or with a changed bit, and the one before it is offered", async () => {
    const { checkpoint } = run;
    const before = run.file("checkpoint.before.safetensors");
    const whole = readFileSync(checkpoint);
    const offered = `rename ${before} to it to go on after step 3, or delete both to begin the run again`;
    truncateSync(checkpoint, whole.length - 100);
    expect(await refusal()).toMatch(new RegExp(`^${checkpoint}: .*; ${offered}$`));
    for (const at of [whole.length - 5, whole.indexOf('\\"step\\":4') + 9]) {
      writeFileSync(
        checkpoint,
        whole.map((byte, i) => (i === at ? byte ^ 1 : byte)),
      );
      expect(await refusal()).toContain(`damaged or edited; ${offered}`);
    }
    renameSync(before, checkpoint);
    expect((await collect())[0]).toMatchObject({ type: "start", step: 3 });
  });

  test("a checkpoint of another run, or without its parts", async () => {
    const { checkpoint } = run;
    rmSync(run.file("checkpoint.before.safetensors"));
    const { tensors, metadata } = readSafetensors(checkpoint);
    const { sha256: _, ...notes } = metadata;
    const changed = async (change: { notes?: Record<string, string>; rename?: [string, string] }) => {
      const named = [...tensors].map(([name, value]) => [
        name === change.rename?.[0] ? change.rename[1] : name,
        value,
      ]);
      writeSealed(checkpoint, named as [string, SafetensorsTensor][], { ...notes, ...change.notes });
      return refusal();
    };
    expect(await changed({ notes: { run: "00000000" } })).toContain(
      `this checkpoint is of run 00000000, not ${run.identity}; delete the file to begin the run again`,
    );
    const progress = notes.progress!.replace("epochLoss", "epochLoze");
    expect(await changed({ notes: { progress } })).toContain(
      "not a checkpoint: progress: must hold step, epochLoss",
    );
    expect(await changed({ rename: ["network.fc2.bias", "network.fc2.bios"] })).toContain(
      "missing: fc2.bias; not of this network: fc2.bios",
    );
    const velocity = "optimizer.momentum.fc2.bias";
    expect(await changed({ rename: [velocity, `${velocity}s`] })).toContain(
      `the optimizer's "momentum.fc2.bias" is missing`,
    );
    truncateSync(checkpoint, 0);
    expect(await refusal()).toContain("0 bytes are too few");
  });

  test("weights that are cut short, missing or others, which train writes anew from the checkpoint", async () => {
    await collect();
    const whole = readFileSync(run.weights);
    const other = small().build({ seed: 9 }).module;
    for (const [damage, named] of [
      [() => truncateSync(run.weights, whole.length - 100), "bytes"],
      [() => truncateSync(run.weights, 3), "3 bytes are too few"],
      [() => rmSync(run.weights), "is missing, though the run is finished"],
      [() => saveWeights(run.weights, other), "not the weights that the run ended with"],
    ] as const) {
      damage();
      expect(() => modelFromRun(run.path)).toThrow(named);
      expect(() => modelFromRun(run.path)).toThrow(
        `npx sqa train ${run.path} writes them anew from its checkpoint`,
      );
      const events = await collect();
      expect(events.find(({ type }) => type === "warning")).toMatchObject({
        message: expect.stringContaining("they are written anew from the checkpoint"),
      });
      expect(events.some(({ type }) => type === "step")).toBe(false);
      expect(readFileSync(run.weights).equals(whole)).toBe(true);
      expect((await collect()).map(({ type }) => type)).toEqual(["end"]);
    }
    rmSync(run.checkpoint);
    truncateSync(run.weights, 100);
    expect(await refusal()).toContain(
      "its checkpoint is gone as well: delete the folder to train the run again",
    );
  });

  test("weights that are not those that the run ended with", async () => {
    await collect();
    const { tensors } = readSafetensors(run.weights);
    writeSealed(run.weights, [...tensors], {});
    expect(() => modelFromRun(run.path)).toThrow(`${run.weights}: not the weights that the run ended with`);
    const whole = readFileSync(run.weights);
    writeFileSync(
      run.weights,
      whole.map((byte, i) => (i === whole.length - 5 ? byte ^ 1 : byte)),
    );
    expect(() => modelFromWeights(run.weights, small())).toThrow("its SHA-256 is not that of its content");
  });

  test("events.jsonl", async () => {
    const events = run.file("events.jsonl");
    const whole = readFileSync(events, "utf8");
    writeFileSync(events, whole.replace('"epoch":1', '"epoch":'));
    expect(await refusal()).toContain(`${events}:1: not an event of a run`);
    writeFileSync(events, "");
    expect(await refusal()).toContain(`${events}: tells of 0 epochs, but the checkpoint is past 1; delete`);
  });

  test("config.json", async () => {
    const file = run.file("config.json");
    writeFileSync(file, '{"epochs": 2');
    expect(await refusal()).toContain(`${file}: `);
    for (const text of ["5", "null", "[]", '"small"']) {
      writeFileSync(file, text);
      expect(() => RunFolder.open(run.path), text).toThrow(`${file}: not a configuration`);
    }
    writeFileSync(file, '{"model": "small", "data": "mnist", "epochs": 3}');
    expect(await refusal()).toContain(`${file}: not the configuration that the folder is named after`);
    expect(() => RunFolder.open(join(folder, "runs"))).toThrow(
      `runs is not a run folder: it has no config.json; it holds runs: give one of them, such as ${run.path}`,
    );
    expect(() => RunFolder.open(folder)).toThrow(/is not a run folder: it has no config.json$/);
  });

  test("result.json", async () => {
    await collect();
    const file = run.file("result.json");
    const result = JSON.parse(readFileSync(file, "utf8"));
    const damaged = ["[]", "", '{"last":null}', '{"last":{}}', JSON.stringify({ ...result, last: "6" })];
    for (const text of [...damaged, JSON.stringify({ ...result, seconds: null })]) {
      writeFileSync(file, text);
      expect(await refusal(), text).toContain(`${file}: not the result of a run`);
      expect(() => modelFromRun(run.path), text).toThrow("delete it, and the command that trained the run");
    }
    // The field at fault is named.
    writeFileSync(file, JSON.stringify({ ...result, seconds: "x" }));
    expect(await refusal()).toContain("not the result of a run: seconds: Invalid input: expected number");
    writeFileSync(file, JSON.stringify({ ...result, last: {} }));
    expect(await refusal()).toMatch(/not the result of a run: last\.\w+: Invalid input/);
    rmSync(file);
    await collect();
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(result);
  });
});

test("what a killed run wrote after its checkpoint, and half a line, are taken back", async () => {
  const events = run.file("events.jsonl");
  const epoch = run.events().find(({ type }) => type === "epoch");
  appendFileSync(events, `${JSON.stringify({ ...epoch, epoch: 2, step: 6 })}\n{"type":"alar`);
  const resumed = await collect();
  expect(resumed.filter(({ type }) => type === "epoch")).toHaveLength(1);
  const epochs = run.events().filter((event) => event.type === "epoch");
  expect(epochs.map(({ step }) => step)).toEqual([3, 6]);
  expect(run.result?.last.step).toBe(6);
});

test("a run killed between its weights and its result is finished", async () => {
  await collect();
  const weights = readFileSync(run.weights);
  rmSync(run.file("result.json"));
  expect((await collect()).map(({ type }) => type)).toEqual(["start", "end"]);
  expect(readFileSync(run.weights).equals(weights)).toBe(true);
});

test("other threads or another libtorch than it began with are warned of", async () => {
  const environment = JSON.parse(readFileSync(run.file("environment.json"), "utf8"));
  writeFileSync(
    run.file("environment.json"),
    JSON.stringify({ ...environment, libtorch: "1.0", kernels: "none" }),
  );
  const warnings = (await collect({ threads: 2 })).filter((event) => event.type === "warning");
  expect(warnings.map(({ message }) => message.split(":")[0])).toEqual([
    "the run began with number of threads 1 and goes on with 2",
    `the run began with libtorch 1.0 and goes on with ${environment.libtorch}`,
    `the run began with kernels none and goes on with ${versions().kernels}`,
  ]);
});

test("other images than it began with are refused", async () => {
  const other = digits(join(folder, "other"), { train: 40, test: 10 });
  await expect(collect({ config: { ...config, data: other } })).rejects.toThrow(
    "the training images are not those that run",
  );
});

describe("a run belongs to one process at a time", () => {
  const lock = run.file("lock");
  const owner = (pid: number, host = hostname()) => JSON.stringify({ pid, started: "1", host });

  test("and says who has it", async () => {
    const controller = new AbortController();
    const first = train(config, { runs, signal: controller.signal })[Symbol.asyncIterator]();
    await first.next();
    await expect(collect()).rejects.toThrow(
      `run ${run.path} is in use by process ${process.pid} on ${hostname()}`,
    );
    controller.abort();
    while ((await first.next()).done !== true);
    expect((await collect()).at(-1)?.type).toBe("end");
  });

  test("and is taken over from one that is gone", async () => {
    const gone = spawnSync("true").pid;
    // A number that another process has by now, and a file that no process wrote whole, count as gone, too.
    for (const text of [owner(gone), owner(process.pid), "", "{"]) {
      writeFileSync(lock, text);
      expect((await collect({ stopAfter: 5 })).at(-1)?.type).toMatch(/stopped|end/);
    }
  });

  test("and not taken from a folder of the lock's name", async () => {
    mkdirSync(lock);
    await expect(collect()).rejects.toThrow(`${lock} is a folder where run ${run.path} keeps its lock`);
  });

  test("and says which lock of a process that is gone cannot be removed", async () => {
    writeFileSync(lock, "");
    // In the way of its name while it is removed.
    mkdirSync(`${lock}.${process.pid}.stale`);
    await expect(collect()).rejects.toThrow(
      new RegExp(`^cannot take over ${lock}, whose process is gone: .*; delete it$`),
    );
  });

  test("and rids its folder of what killed writers left", async () => {
    const gone = spawnSync("true").pid;
    const mine = owner(gone);
    for (const name of [`lock.${gone}`, `lock.${gone}.stale`]) writeFileSync(run.file(name), mine);
    const left = [
      `lock.${gone}`,
      `lock.${gone}.stale`,
      `.checkpoint.safetensors.${gone}-0a1b2c3d.tmp`,
      `.result.json.${gone}-0a1b2c3d.tmp`,
    ];
    // Neither of these is a temporary file of the run's own.
    const kept = [`.notes.txt.${gone}-0a1b2c3d.tmp`, ".checkpoint.safetensors.tmp", "notes.tmp"];
    for (const name of [...left.slice(2), ...kept]) writeFileSync(run.file(name), "");
    await collect();
    expect(left.filter((name) => existsSync(run.file(name)))).toEqual([]);
    expect(kept.filter((name) => existsSync(run.file(name)))).toEqual(kept);
  });

  test("but not from another user's process, which /proc may hide", async () => {
    writeFileSync(lock, owner(spawnSync("true").pid));
    const kill = vi.spyOn(process, "kill").mockImplementation(() => {
      throw Object.assign(new Error("kill EPERM"), { code: "EPERM" });
    });
    await expect(collect()).rejects.toThrow("in use by process");
    kill.mockRestore();
  });

  test("but not from another machine", async () => {
    writeFileSync(lock, owner(1, "elsewhere"));
    await expect(collect()).rejects.toThrow(
      "in use by process 1 on elsewhere: wait for it or stop it (if it is gone,",
    );
  });
});

test("a file of the run that is a pipe is named, and nobody waits for its writer", async () => {
  const events = run.file("events.jsonl");
  rmSync(events);
  spawnSync("mkfifo", [events]);
  expect(await refusal()).toContain(`cannot read ${events}: it is no regular file`);
});

test("a folder that cannot be made or written is named", async () => {
  writeFileSync(join(folder, "file"), "");
  const made = async () => {
    for await (const _ of train(config, { runs: join(folder, "file") }));
  };
  await expect(made()).rejects.toThrow(`cannot make the run folder ${join(folder, "file")}`);
  rmSync(run.file("events.jsonl"));
  mkdirSync(run.file("events.jsonl"));
  await expect(collect()).rejects.toThrow(run.file("events.jsonl"));
});
