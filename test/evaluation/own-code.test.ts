import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { type Attack, defineAttack } from "../../src/attacks/index.js";
import { mnist, TensorSplit } from "../../src/datasets/index.js";
import { defineDefense } from "../../src/defenses/index.js";
import { setThreads } from "../../src/engine/index.js";
import { evaluate } from "../../src/evaluation/index.js";
import { modelIdentity } from "../../src/evaluation/model-hash.js";
import {
  type Architecture,
  type Defense,
  defineModel,
  imageOptions,
  type Model,
  small,
} from "../../src/models/index.js";
import { defineSchedule, Flatten, Linear, Sequential } from "../../src/nn/index.js";
import { trainConfig } from "../../src/training/config.js";
import { runName } from "../../src/training/index.js";
import { openModel } from "../../src/trials/index.js";
import { brightness, grays } from "./splits.js";

beforeAll(() => setThreads(1));
const folder = mkdtempSync(join(tmpdir(), "sqa-own-code-"));
afterAll(() => rmSync(folder, { recursive: true }));

const split = grays(10, 100, 110, 120);

let edits = 0;
/** Exports of a user's file after an edit; a file of its own, since a process loads each but once. */
async function edited(text: string): Promise<(kit: object) => never> {
  const file = join(folder, `edit-${edits++}.mjs`);
  writeFileSync(file, text);
  return (await import(pathToFileURL(file).href)).make;
}

/** Attack that adds a step to each pixel, the text of which is always the same. */
const stepping = async (step: number): Promise<Attack> =>
  (
    await edited(`const move = (images) => images.add(${step}).clamp(0, 1);
      export const make = ({ defineAttack, z }) => defineAttack("mine", {
        summary: "adds a step to each pixel",
        options: z.strictObject({ epsilon: z.number().default(0.5) }),
        traits: ({ epsilon }) =>
          ({ norm: "linf", radius: epsilon, usesGradients: false, randomized: false }),
        run(_, victim, images) {
          globalThis.ranOwnAttack = (globalThis.ranOwnAttack ?? 0) + 1;
          return move(images);
        },
      })();`)
  )({ defineAttack, z });
const runs = () => (globalThis as { ranOwnAttack?: number }).ranOwnAttack ?? 0;

describe("an attack of the user's own whose file was edited", () => {
  it("is run again where its earlier trials are kept, and only then", async () => {
    const kept = { folder: join(folder, "evaluations") };
    const accuracies = async (attack: Attack) => {
      const before = runs();
      const { attacks } = await evaluate(brightness, split, {
        attacks: [attack, "fgsm(epsilon=0.1)"],
        ...kept,
      });
      return [runs() - before, ...attacks.map((row) => row.robustAccuracy)];
    };
    const weak = await stepping(0);
    expect(await accuracies(weak)).toEqual([1, 1, 0.5]);
    expect(await accuracies(weak)).toEqual([0, 1, 0.5]);
    expect(await accuracies(await stepping(0.2))).toEqual([1, 0.25, 0.5]);
    expect(await accuracies(weak)).toEqual([0, 1, 0.5]);
    expect(readdirSync(kept.folder)).toHaveLength(1);
  });
});

describe("a run", () => {
  const config = { model: small(), data: mnist() };

  it("has another name where an attack or a schedule of the user's own was edited", async () => {
    const before = runName(trainConfig({ ...config, method: await stepping(0.1) }));
    expect(runName(trainConfig({ ...config, method: await stepping(0.1) }))).toBe(before);
    expect(runName(trainConfig({ ...config, method: await stepping(0.2) }))).not.toBe(before);
    const constant = async (rate: number) =>
      (
        await edited(`export const make = ({ defineSchedule, z }) => defineSchedule("mine", {
          summary: "a constant rate", options: z.strictObject({}), rates: () => () => ${rate} })();`)
      )({ defineSchedule, z });
    const names = [await constant(0.1), await constant(0.2)].map((schedule) =>
      runName(trainConfig({ ...config, schedule })),
    );
    expect(names[0]).not.toBe(names[1]);
  });
});

describe("a model", () => {
  const data = new TensorSplit(split);
  const identityOf = (model: Model) => modelIdentity(openModel(model), data);

  it("is another one where the file of its architecture or its defense was edited", async () => {
    const layer = async (factor: number): Promise<Architecture> =>
      (
        await edited(`const scale = ${factor};
          export const make = ({ defineModel, imageOptions, Flatten, Linear, Sequential }) =>
            defineModel("mine", {
              summary: "a layer",
              options: imageOptions,
              defaults: { inputShape: [1, 2, 2], classes: 2 },
              layout: () => ({
                activations: {},
                layers: (seed) => new Sequential({ flat: new Flatten(), fc: new Linear(4, 2, { seed }) }),
              }),
            })();`)
      )({ defineModel, imageOptions, Flatten, Linear, Sequential });
    const idle = async (factor: number): Promise<Defense> =>
      (
        await edited(`const scale = ${factor};
          export const make = ({ defineDefense, z }) => defineDefense("idle", {
            summary: "does nothing",
            options: z.strictObject({}),
            create: () => ({ randomized: false, advice: "none", apply() {}, surrogates: () => ({}) }),
          })();`)
      )({ defineDefense, z });
    const [first, second] = [await layer(1), await layer(2)];
    expect(identityOf(first.build({ seed: 0 }))).toBe(identityOf((await layer(1)).build({ seed: 0 })));
    expect(identityOf(first.build({ seed: 0 }))).not.toBe(identityOf(second.build({ seed: 0 })));
    const defended = [await idle(1), await idle(1), await idle(2)].map((defense) =>
      identityOf(first.build({ seed: 0, defenses: [defense] })),
    );
    expect(defended[0]).toBe(defended[1]);
    expect(defended[0]).not.toBe(defended[2]);
  });
});
