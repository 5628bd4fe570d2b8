import { describe, expect, it } from "vitest";
import { renderSvg } from "../../src/report/chart.js";
import { type LinePanels, linePanels } from "../../src/report/line-panels.js";

const line = (name: string, y: number, color: string) => ({
  name,
  color,
  drawn: "line" as const,
  points: [0, 1].map((x) => ({ x, y })),
});
const chart: LinePanels = {
  title: "Accuracy",
  x: { label: "epoch" },
  y: { label: "share", percent: true, values: [0, 0.5, 1] },
  panels: [
    { name: "plain", series: [line("seed 0", 0, "#111111")] },
    { name: "SQA", series: [line("seed 0", 0.5, "#111111"), line("seed 1", 1, "#222222")] },
  ],
};

describe("linePanels", () => {
  it("draws a chart for each panel, under its name, at the same height for the same value", async () => {
    const svg = await renderSvg(linePanels(chart));
    for (const text of ["Accuracy", "plain", "SQA", "seed 0", "seed 1", "0%", "50%", "100%"])
      expect(svg).toContain(`>${text}</text>`);
    const lines = [...svg.matchAll(/aria-roledescription="line mark" d="([^"]*)" stroke="([^"]*)"/g)];
    const [width, height] = [360, 180];
    expect(lines.map(([, path, color]) => [path, color])).toEqual([
      [`M0,${height}L${width},${height}`, "#111111"],
      [`M0,${height / 2}L${width},${height / 2}`, "#111111"],
      [`M0,0L${width},0`, "#222222"],
    ]);
  });

  it("sets at most four beside one another", async () => {
    const [plain] = chart.panels;
    const columns = (count: number) =>
      JSON.stringify(
        linePanels({
          ...chart,
          panels: Array.from({ length: count }, (_, i) => ({ ...plain!, name: `${i}` })),
        }),
      ).match(/"columns":(\d)/)![1];
    expect([1, 2, 3, 4, 5, 7, 9].map(columns)).toEqual(["1", "2", "3", "4", "3", "4", "3"]);
  });

  it("names series in the order of the panel with the most", async () => {
    const named = (...names: string[]) => names.map((name) => line(name, 0, "#111111"));
    const panels = [
      { name: "plain", series: named("FGSM 0", "PGD 0") },
      { name: "SQA", series: named("FGSM 0", "FGSM 1", "PGD 0", "PGD 1") },
    ];
    const svg = await renderSvg(linePanels({ ...chart, panels }));
    const legend = [...svg.matchAll(/>((?:FGSM|PGD) \d)<\/text>/g)].map(([, name]) => name);
    expect(legend).toEqual(["FGSM 0", "FGSM 1", "PGD 0", "PGD 1"]);
  });

  it("refuses what it cannot draw", () => {
    const [plain] = chart.panels;
    expect(() => linePanels({ ...chart, panels: [] })).toThrow(
      'chart "Accuracy" must have at least one panel',
    );
    expect(() => linePanels({ ...chart, panels: [plain!, plain!] })).toThrow('two panels named "plain"');
    const empty = { name: "none", series: [] };
    expect(() => linePanels({ ...chart, panels: [empty] })).toThrow("must have at least one series");
  });
});
