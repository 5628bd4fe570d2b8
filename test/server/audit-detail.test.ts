import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { auditDetail } from "../../src/server/audits/audit-detail.js";

function auditFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sqa-audit-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function writeBatch(folder: string, hash: string, record: { id: string; even: number[] }): void {
  const trial = join(folder, "trials", hash);
  mkdirSync(trial, { recursive: true });
  const whole = { ...record, odd: record.even.map(() => 0), draws: 1, seconds: 1 };
  const last = String(record.even.length - 1).padStart(5, "0");
  writeFileSync(join(trial, `00000-${last}.json`), JSON.stringify(whole));
}

it("counts all images that fell, also where it lists the first of them", () => {
  const folder = auditFolder();
  writeBatch(folder, "0123456789ab", { id: "clean", even: new Array(1500).fill(1) });
  writeBatch(folder, "ba9876543210", { id: "pgd", even: new Array(1500).fill(0) });
  const trials = ["clean", "pgd"].map((id) => ({ id, inBall: true, batchSeconds: 1 }));
  writeFileSync(join(folder, "plan.json"), JSON.stringify({ images: 1500, trials, batchSize: 1500 }));
  const { fallen, fallenImages } = auditDetail("run", "audit-full-1", folder);
  expect([fallen.length, fallenImages]).toEqual([1000, 1500]);
});

it("takes images and those that fell from the report where its batches lie elsewhere", () => {
  const folder = auditFolder();
  const trial = "on model: pgd(epsilon=0.3, steps=20)";
  const image = (position: number, clean: number, worst: number) => ({
    position,
    brokenBy: worst < 1 ? trial : null,
    correct: { clean, worst },
  });
  const report = {
    images: 4,
    clean: { accuracy: 0.75 },
    worst: { accuracy: 0.25 },
    trials: [{ trial, label: "PGD-20, eps 0.3" }],
    perImage: [image(0, 1, 1), image(1, 1, 0), image(2, 0, 0), image(3, 1, 0)],
  };
  writeFileSync(join(folder, "audit.json"), JSON.stringify(report));
  const { images, clean, worst, fallen, fallenImages } = auditDetail("run", "audit-merged", folder);
  expect({ images, clean, worst }).toEqual({ images: 4, clean: 0.75, worst: 0.25 });
  expect(fallen).toEqual([1, 3].map((position) => ({ position, by: "PGD-20, eps 0.3" })));
  expect(fallenImages).toBe(2);
});

it("changed when its latest batch came, though that changes no folder but its trial's", () => {
  const folder = auditFolder();
  writeBatch(folder, "0123456789ab", { id: "clean", even: [1, 1] });
  writeBatch(folder, "ba9876543210", { id: "pgd", even: [1, 0] });
  const at = (seconds: number, ...names: string[]) => utimesSync(join(folder, ...names), seconds, seconds);
  at(3000, "trials", "0123456789ab");
  at(2000, "trials", "ba9876543210");
  at(1000, "trials");
  at(1000);
  expect(auditDetail("run", "audit-quick-1", folder).summary.changed).toBe(3_000_000);
});

it("shows the numbers of an audit that was deleted and run again, not those before", () => {
  const folder = auditFolder();
  const accuracy = () => auditDetail("run", "audit-quick-1", folder).trials.map((trial) => trial.accuracy);
  writeBatch(folder, "0123456789ab", { id: "clean", even: [1, 1] });
  expect(accuracy()).toEqual([1]);
  rmSync(join(folder, "trials"), { recursive: true });
  writeBatch(folder, "0123456789ab", { id: "clean", even: [0, 0] });
  expect(accuracy()).toEqual([0]);
});
