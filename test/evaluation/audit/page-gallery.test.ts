import { decode } from "fast-png";
import { expect, it } from "vitest";
import { imageSection, shownImages } from "../../../src/evaluation/audit/report/page-gallery.js";
import type { AuditJson } from "../../../src/evaluation/audit/report/schema/audit.js";

it("shows a change of few gray levels, which as such nobody would see", () => {
  const audit = {
    survivesRounding: null,
    draws: 1,
    trials: [],
    evidence: { model: { inputShape: [1, 64, 2] }, perClass: [] },
    perImage: [{ position: 0, label: 7, predicted: 3, correct: { clean: 1, worst: 0 }, brokenBy: "pgd" }],
  } as unknown as AuditJson;
  const clean = new Float32Array(128).fill(0.5);
  const adversarial = clean.map((pixel, i) => pixel + ((i % 2 === 0 ? 1 : -1) * 2) / 255);
  const page = imageSection(audit, [{ clean, adversarial }]).map(({ html }) => html);
  const pictures = [...page.join("").matchAll(/base64,([^"]+)"/g)].map(([, data]) =>
    decode(Buffer.from(data!, "base64")),
  );
  expect(pictures).toHaveLength(3);
  expect([...pictures[2]!.data.slice(0, 4)]).toEqual([255, 0, 255, 0]);
});

it("shows fewer of large images, so that a browser opens the page", () => {
  const sides = [28, 224, 384, 1024, 4096];
  expect(sides.map((side) => shownImages([3, side, side]))).toEqual([40, 40, 18, 2, 1]);
});
