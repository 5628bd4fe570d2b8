import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sqa } from "../../../src/defenses/index.js";
import { audit, type Report } from "../../../src/evaluation/index.js";
import { readSafetensors } from "../../../src/files/index.js";
import { small } from "../../../src/models/index.js";
import { escapeHtml, visibleWidth } from "../../../src/report/index.js";
import { quantizedCnn } from "../../attacks/tiny-networks.js";
import { splitFor } from "../splits.js";
import { audited, budget, goldenSplit } from "./tiny-audit.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-report-"));
afterAll(() => rmSync(folder, { recursive: true }));

// An audit of a few dozen attacks on tiny images.
describe("a report", { timeout: 300_000 }, () => {
  let report: Report;
  beforeAll(async () => {
    const model = small().build({ seed: 1, defenses: [sqa()] });
    const pixels = Uint8Array.from({ length: 6 * 784 }, (_, i) => (i * i) % 251);
    const images = splitFor(model, pixels, Uint8Array.of(0, 1, 2, 3, 4, 5));
    const { curve: _, ...few } = budget;
    report = await audit(model, images, { epsilon: 8 / 255, budget: few });
  }, 300_000);

  it("writes numbers, a page that loads nothing, and the worst images", async () => {
    const files = await report.write(folder);
    const json = JSON.parse(readFileSync(files.json, "utf8")) as Record<string, unknown>;
    expect(json).toEqual(JSON.parse(JSON.stringify(report)));
    expect(json).toMatchObject({
      model: "small",
      defenses: ["sqa"],
      data: "test images",
      norm: "linf",
      epsilon: 8 / 255,
      claimedBy: report.claimedBy,
      images: 6,
      verdict: report.verdict,
      checklist: report.lines,
    });
    expect(json.trials).toHaveLength(report.trials.length);
    const page = readFileSync(files.html, "utf8");
    expect(page).toContain("<h1>Audit of small</h1>");
    expect(page).toContain("radius 8/255");
    for (const { question } of report.lines) expect(page).toContain(escapeHtml(question));
    expect(page.replaceAll("http://www.w3.org", "")).not.toMatch(/(src|href)="http/);
    const worst = readSafetensors(join(files.images, "worst.safetensors")).tensors;
    expect(worst.get("images")!.shape).toEqual([6, 1, 28, 28]);
    expect([...(worst.get("labels")!.data as BigInt64Array)].map(Number)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(readdirSync(files.images).filter((name) => name.endsWith(".png"))).toHaveLength(6);
  });

  it("takes away images of an earlier report of more", async () => {
    const files = await report.write(folder);
    const { worstImages } = report;
    expect(existsSync(join(files.images, "00005.png"))).toBe(true);
    expect(worstImages).toHaveLength(6);
    const fewer = await audit(small(), splitFor(small(), new Uint8Array(784), Uint8Array.of(0)), {
      epsilon: 0.1,
      budget,
    });
    await fewer.write(folder);
    expect(readdirSync(files.images).sort()).toEqual(["00000.png", "worst.safetensors"]);
  });

  it("fits a terminal's width, and is painted as asked", () => {
    for (const width of [80, 120]) {
      const lines = report.text({ width }).split("\n");
      expect(lines.filter((line) => visibleWidth(line) > width)).toEqual([]);
    }
    const [verdict, ...rest] = report.text({ width: 400 }).split("\n");
    expect(verdict).toBe(report.verdict.text);
    expect(rest.join("\n")).toContain("worst case, correct in each of 6 draws");
    const mark = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
    const colors = Object.fromEntries(
      ["bold", "dim", "green", "red", "yellow"].map((name) => [name, mark(name)]),
    );
    const painted = report.text({ width: 400, colors: colors as never });
    expect(painted).toContain("<green>passed  </green> ");
    expect(painted).toContain("<dim>skipped </dim> ");
  });

  it("draws no images of two channels, and writes them all the same", async () => {
    const two = await audited(quantizedCnn, goldenSplit(quantizedCnn));
    const files = await two.write(join(folder, "two"));
    expect(readdirSync(files.images)).toEqual(["worst.safetensors"]);
    expect(readFileSync(files.html, "utf8")).toContain("<figcaption>0: label");
  });
});
