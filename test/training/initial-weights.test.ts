import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fileSha256, MissingFileError } from "../../src/base/index.js";
import { mnist } from "../../src/datasets/index.js";
import { small } from "../../src/models/index.js";
import {
  modelFromRun,
  RunFolder,
  runName,
  saveWeights,
  type TrainEvent,
  train,
  trainConfig,
} from "../../src/training/index.js";
import { writeDigits } from "./digits-folder.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-initial-"));
afterAll(() => rmSync(folder, { recursive: true }));
const data = mnist({ folder: writeDigits(folder, { train: 40, test: 10 }), checksums: false });
const file = join(folder, "weights.safetensors");
const given = small().build({ seed: 7 });
saveWeights(file, given.module);

const numbers = ({ module }: typeof given) => [...module.state().values()].map((value) => value.toNumbers());
/** Steps of no length: what training ends with is what it began with. */
const still = {
  model: small(),
  data,
  epochs: 1,
  batchSize: 20,
  optimizer: "sgd(weightDecay=0)",
  schedule: "constant(peak=1e-30)",
  validationAttacks: [],
} as const;

describe("initial weights", () => {
  it("are those that training begins with, and the run opens without their file", async () => {
    const begun = join(folder, "begun.safetensors");
    copyFileSync(file, begun);
    const run = await train({ ...still, initialWeights: begun }, { runs: join(folder, "runs") });
    expect(numbers(run.model)).toEqual(numbers(given));
    rmSync(begun);
    expect(numbers(modelFromRun(run.folder).model)).toEqual(numbers(given));
    expect(RunFolder.open(run.folder).config.initialWeights).toMatchObject({ file: begun });
  });

  it("are not asked for again by a run that goes on", async () => {
    const begun = join(folder, "gone.safetensors");
    copyFileSync(file, begun);
    const config = trainConfig({ ...still, epochs: 2, averaging: 0.5, initialWeights: begun });
    const runs = join(folder, "gone");
    const whole = await train(config, { runs: join(folder, "whole") });
    for await (const event of train(config, { runs })) if (event.type === "checkpoint") break;
    rmSync(begun);
    const events: TrainEvent[] = [];
    const goesOn = train(config, { runs });
    for await (const event of goesOn) events.push(event);
    expect(events[0]).toMatchObject({ type: "start", step: 2 });
    expect(numbers((await goesOn).model)).toEqual(numbers(whole.model));
    // Without a checkpoint they are.
    await expect(train(config, { runs: join(folder, "anew") })).rejects.toThrow(MissingFileError);
  });

  it("name the run by what they are, not by where they lie", () => {
    const other = join(folder, "other.safetensors");
    const copy = join(folder, "copy.safetensors");
    copyFileSync(file, copy);
    saveWeights(other, small().build({ seed: 8 }).module);
    const nameOf = (initialWeights: string | null) => runName(trainConfig({ ...still, initialWeights }));
    expect(nameOf(copy)).toBe(nameOf(file));
    expect(new Set([nameOf(file), nameOf(other), nameOf(null)]).size).toBe(3);
  });

  it("are given by a place in a file, too", () => {
    const { initialWeights } = trainConfig({ ...still, initialWeights: { file, key: "ema" } });
    expect(initialWeights).toEqual({ file, key: "ema", sha256: fileSha256(file) });
  });

  it("name the run by the choice among a file's weights, too", () => {
    const nameOf = (choice: { key?: string; prefix?: string }) =>
      runName(trainConfig({ ...still, initialWeights: { file, sha256: "0".repeat(64), ...choice } }));
    const choices = [
      {},
      { key: "state_dict" },
      { key: "ema" },
      { prefix: "ema" },
      { key: "ema", prefix: "m." },
    ];
    expect(new Set(choices.map(nameOf)).size).toBe(choices.length);
    expect(nameOf({ prefix: "m.", key: "ema" })).toBe(nameOf(choices[4]!));
  });

  it("must be a file, and the one that the run began with", async () => {
    expect(() => trainConfig({ ...still, initialWeights: "nowhere" })).toThrow(
      'option "initialWeights" cannot be "nowhere": nowhere does not exist, which should hold the weights',
    );
    expect(() => trainConfig({ ...still, initialWeights: folder })).toThrow(
      "is a folder, and no file of weights",
    );
    const changed = { file, sha256: "0".repeat(64) };
    await expect(
      train({ ...still, initialWeights: changed }, { runs: join(folder, "changed") }),
    ).rejects.toThrow(`${file}: not the weights that the run began with`);
  });
});
