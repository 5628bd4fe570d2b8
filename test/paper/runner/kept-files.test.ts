import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { fgsm } from "../../../src/attacks/index.js";
import { denoiserPart, guidedDenoiser } from "../../../src/defenses/index.js";
import type { Evaluation, Report } from "../../../src/evaluation/index.js";
import { keepAudit, keptAudit } from "../../../src/paper/runner/kept-audit.js";
import { keepEvaluation, keptAnswers, plansOf } from "../../../src/paper/runner/kept-evaluation.js";
import { machineWith } from "../../../src/paper/runner/share-machine.js";
import { RunFolder, trainConfig } from "../../../src/training/index.js";
import { partsFolder, writePart } from "../../defenses/parts.js";

const { folder: parts, remove } = partsFolder();
afterAll(remove);

const file = join(parts, "denoiser.safetensors");
const writeDenoiser = (width: number) => writePart(file, denoiserPart, { channels: 1, width });

it("answers of a defense whose trained part was made anew are not those of the earlier one", () => {
  writeDenoiser(2);
  const defenses = [guidedDenoiser({ denoiser: file })];
  const config = trainConfig({ model: "small", data: "mnist", method: "standard", epochs: 1, defenses });
  const folder = RunFolder.for(config, join(parts, "runs"));
  mkdirSync(folder.path, { recursive: true });
  const share = { accuracy: 0.5, low: 0.4, high: 0.6 };
  const [plan] = plansOf([{ key: "clean", limit: 4 }]);
  keepEvaluation(
    folder,
    plan!,
    { images: 4, clean: share, attacks: [] } as unknown as Evaluation,
    machineWith("cpu"),
  );
  const question = { key: "audit", attack: fgsm({ epsilon: 0.3 }), audit: "quick", limit: 4 } as const;
  const report = { worst: share, images: 4, verdict: { name: "masked" } } as Report;
  keepAudit(folder, question, report, machineWith("cpu"));
  const found = () => [keptAnswers(folder, plan!)?.clean?.accuracy, keptAudit(folder, question)?.accuracy];
  expect(found()).toEqual([0.5, 0.5]);
  writeDenoiser(3);
  expect(found()).toEqual([undefined, undefined]);
  // Without the part nothing speaks against what was kept of it.
  renameSync(file, `${file}.elsewhere`);
  expect(found()).toEqual([0.5, 0.5]);
  renameSync(`${file}.elsewhere`, file);
  // An earlier version kept no hash.
  const kept = folder.file(readdirSync(folder.path).find((name) => name.startsWith("evaluation-"))!);
  const { files: _, ...before } = JSON.parse(readFileSync(kept, "utf8"));
  writeFileSync(kept, JSON.stringify(before));
  expect(found()).toEqual([0.5, undefined]);
  rmSync(folder.path, { recursive: true });
});
