import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { auditOptions } from "../../src/cli/commands/audit/audit-options.js";
import { openAudit } from "../../src/cli/commands/audit/open-audit.js";
import { evaluateOptions } from "../../src/cli/commands/evaluate/evaluate-options.js";
import { subjectOf } from "../../src/cli/commands/evaluate/subject.js";
import { datasets } from "../../src/datasets/index.js";
import { small } from "../../src/models/index.js";
import { train } from "../../src/training/index.js";
import { digits, writeDigits } from "../training/digits-folder.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-radius-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("a run is attacked in the norm that it trained for, and by its radius in no other", async () => {
  const data = digits(folder, { train: 20, test: 10 });
  const { folder: run } = await train(
    { model: small(), data, method: "pgd(norm=l2, epsilon=2, steps=1)", epochs: 1, validationAttacks: [] },
    { runs: join(folder, "runs") },
  );
  const { attacks } = await subjectOf(run, evaluateOptions.parse({}), undefined);
  expect(attacks.map(String)).toEqual([
    "bim(epsilon=2, stepSize=2, steps=1, norm=l2)",
    "pgd(epsilon=2, stepSize=0.2, steps=20, norm=l2)",
  ]);
  const { signal } = new AbortController();
  const audited = async (given: object) =>
    (await openAudit(auditOptions.parse(given), run, { signal, imports: [] })).options.epsilon;
  expect(await audited({ norm: "l2" })).toBe(2);
  // MNIST's own.
  expect(await audited({})).toBe(0.3);
  expect(await audited({ norm: "l2", epsilon: 1 })).toBe(1);

  // Fashion-MNIST's usual radius is another than that of an attack which names none.
  const images = `fashion-mnist(folder=${writeDigits(folder, { train: 10, test: 10 })}, checksums=false)`;
  for (const open of [
    () => subjectOf(run, evaluateOptions.parse({ attack: ["apgd"] }), datasets.parse(images)),
    () => audited({ images, claim: "apgd" }),
  ]) {
    using captured = captureOutput();
    await open();
    expect(captured.stderr.text).toContain(
      "apgd names no radius and takes 0.3; usual for fashion-mnist is 0.1",
    );
  }
});
