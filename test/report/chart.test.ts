import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { renderPng, renderSvg, saveChart } from "../../src/report/chart.js";
import { type LineChart, lineChart } from "../../src/report/line-chart.js";

const chart: LineChart = {
  title: "Accuracy under FGSM",
  subtitle: "bands are 95 % intervals",
  x: { label: "epsilon" },
  y: { label: "accuracy", percent: true },
  series: [
    {
      name: "plain",
      dashed: true,
      points: [
        { x: 0, y: 1 },
        { x: 0.3, y: 0.1 },
      ],
    },
    {
      name: "SQA",
      points: [
        { x: 0, y: 0.9, low: 0.85, high: 0.95 },
        { x: 0.3, y: 0.7, low: 0.6, high: 0.8 },
      ],
    },
  ],
};
const EMPTY_SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="5"/>';

/** Width and height from the header of a PNG (its specification, section 11.2.1). */
function sizeOfPng(png: Buffer): [number, number] {
  expect(png.subarray(0, 8).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
  return [png.readUInt32BE(16), png.readUInt32BE(20)];
}

describe("lineChart", () => {
  it("draws each series, its name, its dashes and its band", async () => {
    const svg = await renderSvg(lineChart(chart));
    for (const text of [
      "Accuracy under FGSM",
      "bands are 95 % intervals",
      "epsilon",
      "100%",
      "plain",
      "SQA",
    ]) {
      expect(svg).toContain(`>${text}</text>`);
    }
    expect(svg).toContain('stroke="#d55e00"');
    expect(svg).toContain("stroke-dasharray");
    expect(svg.match(/mark-area[^>]*>(<g[^>]*>)?<path/g)).toHaveLength(1);
  });

  it("writes radii as gray levels where it is asked to, at whole or half ones", async () => {
    const ticks = async (farthest: number) => {
      const points = [0, farthest].map((x) => ({ x, y: 0.5 }));
      const x = { label: "radius", levels: true };
      const svg = await renderSvg(lineChart({ ...chart, x, series: [{ name: "one", points }] }));
      return [...svg.matchAll(/>(0|[\d.]+\/255)<\/text>/g)].map(([, text]) => text);
    };
    expect(await ticks(2 / 255)).toEqual(["0", "0.5/255", "1/255", "1.5/255", "2/255"]);
    expect(await ticks(16 / 255)).toEqual(
      [0, 2, 4, 6, 8, 10, 12, 14, 16].map((n) => n && `${n}/255`).map(String),
    );
    expect(await ticks(0.3)).toEqual(["0", "16/255", "32/255", "48/255", "64/255"]);
  });

  it("draws bars in place of a band where a series is points, and no marks where it is a line", async () => {
    const [, sqa] = chart.series;
    const marks = async (drawn: "line" | "points") => {
      const svg = await renderSvg(lineChart({ ...chart, series: [{ ...sqa!, drawn }] }));
      const count = (mark: string) =>
        (svg.match(new RegExp(`class="mark-${mark}[^>]*marks[^>]*>(<g[^>]*>)?<(path|line)`)) ?? []).length >
        0;
      return {
        band: count("area"),
        bars: count("rule role-mark"),
        line: count("line"),
        points: count("symbol role-mark"),
      };
    };
    expect(await marks("points")).toEqual({ band: false, bars: true, line: false, points: true });
    expect(await marks("line")).toEqual({ band: true, bars: false, line: true, points: false });
  });

  it("is plain JSON", () => {
    const spec = lineChart(chart);
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
  });

  it("refuses what it cannot draw", () => {
    expect(() => lineChart({ ...chart, series: [] })).toThrow(
      'chart "Accuracy under FGSM" must have at least one series',
    );
    const [first] = chart.series;
    expect(() => lineChart({ ...chart, series: [first!, first!] })).toThrow('two series named "plain"');
    const broken = { name: "broken", points: [{ x: 1, y: Number.NaN }] };
    expect(() => lineChart({ ...chart, series: [broken] })).toThrow(
      'series "broken" has a point whose y is NaN',
    );
  });
});

describe("renderPng", () => {
  it("has the width asked for, and twice the SVG's by default", async () => {
    expect(sizeOfPng(await renderPng(EMPTY_SVG, { width: 100 }))).toEqual([100, 50]);
    expect(sizeOfPng(await renderPng(EMPTY_SVG))).toEqual([20, 10]);
    await expect(renderPng(EMPTY_SVG, { width: 0.5 })).rejects.toThrow("width must be a whole number");
  });

  it("says so where there is no font, in place of a picture without text", async () => {
    await expect(renderPng(EMPTY_SVG, { fontFiles: [] })).rejects.toThrow("no font was found");
  });
});

describe("saveChart", () => {
  it("writes SVG and PNG", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sqa-chart-"));
    try {
      const saved = await saveChart(join(folder, "figure"), lineChart(chart));
      expect(readFileSync(saved.svg, "utf8")).toMatch(/^<svg /);
      expect(sizeOfPng(readFileSync(saved.png))[0]).toBeGreaterThan(1200);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
