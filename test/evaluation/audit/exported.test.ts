import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { weightsSha256 } from "../../../src/evaluation/audit/evidence/model-facts.js";
import { preprocessingOf } from "../../../src/evaluation/audit/evidence/preprocessing.js";
import { threatModelOf } from "../../../src/evaluation/audit/evidence/threat-model.js";
import type { AuditJson } from "../../../src/evaluation/audit/index.js";
import { audit, type Report } from "../../../src/evaluation/index.js";
import { type FileModel, type Model, modelFromFile } from "../../../src/models/index.js";
import { escapeHtml } from "../../../src/report/index.js";
import { fixture } from "../../models/exported/fixtures.js";
import { splitFor } from "../splits.js";
import { budget, planOf } from "./tiny-audit.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-audit-exported-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { curve: _, ...few } = budget;

function audited(model: FileModel): Promise<Report> {
  const pixels = Uint8Array.from({ length: 6 * 192 }, (_, i) => (i * i) % 251);
  const split = splitFor(model, pixels, Uint8Array.of(0, 1, 2, 3, 4, 0));
  return Promise.resolve(audit(model, split, { epsilon: 8 / 255, budget: few, folder }));
}

describe("an audit of an exported model", { timeout: 300_000 }, () => {
  it("says in text, JSON and page what was found in the file", async () => {
    const model = await modelFromFile(fixture("rounded"));
    const report = await audited(model);
    const json = JSON.parse(JSON.stringify(report)) as AuditJson;
    expect(json.evidence.model.notes).toEqual(model.notes);
    expect(json.evidence.model).toMatchObject({
      graph: { ...model.build({ seed: 0 }).graph!, random: [], blocked: ["aten.round (round_1)"] },
      preprocessing: { steps: [] },
    });
    const { html } = await report.write(join(folder, "report"));
    const page = readFileSync(html, "utf8");
    const text = report.text({ width: 1000 });
    for (const note of model.notes) {
      expect(text).toContain(note);
      expect(page).toContain(escapeHtml(note.slice(1)));
    }
  });

  it("says the mean and deviation by which its operators normalize, and the radius behind them", async () => {
    const file = (await modelFromFile(fixture("layers"))).build({ seed: 0 });
    const step = "normalize: mean 0.48, 0.45, 0.4, std 0.2, 0.25, 0.3";
    expect(preprocessingOf(file).steps).toEqual([`${step}, by its own aten.sub, aten.div`]);
    const plan = planOf(file.classifier(), 0.1);
    const radii = (model: Model) => threatModelOf(plan, model, null).epsilonNormalized;
    expect(radii(file)).toEqual([0.1 / 0.2, 0.1 / 0.25, 0.1 / 0.3]);
    expect(threatModelOf({ ...plan, norm: "l2" }, file, null).epsilonNormalized).toBeNull();
    // Twice: the user's own comes first.
    const normalize = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.25, 1] };
    const twice = (await modelFromFile(fixture("layers"), { normalize })).build({ seed: 0 });
    expect(preprocessingOf(twice).steps[0]).toBe("normalize: mean 0.5, 0.5, 0.5, std 0.5, 0.25, 1");
    expect(radii(twice)).toEqual([1, 1.6, 0.1 / 0.3].map((radius) => expect.closeTo(radius, 9)));
    const { normalization, ...others } = file.graph!;
    const unknown = { ...file, graph: { ...others, normalization: { operators: normalization!.operators } } };
    expect(preprocessingOf(unknown).steps[0]).toContain("mean and deviation of each channel not found");
    expect(radii(unknown)).toBeNull();
    expect(radii((await modelFromFile(fixture("plain"))).build({ seed: 0 }))).toBeNull();
  });

  it("has another hash of the weights where weights of 8 bits differ", async () => {
    const model = (await modelFromFile(fixture("quantized-8-bits"))).build({ seed: 0 });
    const before = weightsSha256(model.module);
    const weight = model.module.stored().get("conv_weight")!;
    expect(weight.dtype).toBe("int8");
    weight.copy_(weight.add(1));
    expect(weightsSha256(model.module)).not.toBe(before);
    model.module.dispose();
  });

  it("calls gradients hidden where they are left blocked, and mixes its trials with no other's", async () => {
    const identity = await audited(await modelFromFile(fixture("rounded")));
    const exact = await audited(await modelFromFile(fixture("rounded"), { exactGradients: true }));
    expect(exact.folder).not.toBe(identity.folder);
    const outcome = ({ lines }: Report) => lines.find(({ name }) => name === "gradients")!.outcome;
    expect(outcome(identity)).toBe("passed");
    expect(outcome(exact)).toBe("masked");
    expect(exact.verdict.name).not.toBe("claim holds");
  });

  it("draws the noise of a randomized model afresh, averages over it and fixes it", async () => {
    const report = await audited(await modelFromFile(fixture("noisy")));
    expect(report.everyDraw).toBeDefined();
    // Weights without training leave an attack little to do: the lines measure, and say so.
    const evidence = (name: string) => report.lines.find((line) => line.name === name)!.evidence;
    expect(evidence("expectation")).toMatch(/by gradients of 1 draw, .* by the mean loss of 2/);
    expect(evidence("fixed-seed")).toMatch(/under AutoAttack on a fixed seed, .* on fresh draws/);
  });
});
