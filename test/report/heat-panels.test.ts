import { describe, expect, it } from "vitest";
import { renderSvg } from "../../src/report/chart.js";
import { heatPanels } from "../../src/report/heat-panels.js";

const titles = { title: "Places", subtitle: ["of two networks"] };

describe("heatPanels", () => {
  const axes = { ...titles, x: "unit", y: "class", scale: "mean" };

  it("draws a cell for each number", async () => {
    const values = [
      [0, 0.5, 1],
      [0.2, 0.4, 0.6],
    ];
    const svg = await renderSvg(heatPanels([{ row: "SQA", column: "clean", values }], axes));
    expect(svg.match(/<path[^>]*fill="(rgb|#)[^>]*>/g)!.length).toBeGreaterThanOrEqual(6);
    for (const text of ["Places", "of two networks", "unit", "class", "SQA", "clean", "mean", "0.4"])
      expect(svg).toContain(`>${text}</text>`);
  });

  it("gives each panel as many columns as it has numbers", async () => {
    const panels = [
      { row: "wide", column: "a", values: [[0, 0.5, 1, 0]] },
      { row: "narrow", column: "a", values: [[0, 1]] },
    ];
    const svg = await renderSvg(heatPanels(panels, { ...axes, width: 80, height: 10 }));
    const widths = [...svg.matchAll(/d="M[\d.]+,0h(\d+)v10h-\1Z" fill="rgb/g)].map(([, width]) => width);
    expect(widths).toEqual(["20", "20", "20", "20", "40", "40"]);
  });

  it("needs a panel", () => {
    expect(() => heatPanels([], axes)).toThrow('chart "Places" must have at least one panel');
  });

  it("takes shares alone", () => {
    for (const value of [-0.1, 1.1, Number.NaN]) {
      expect(() => heatPanels([{ row: "a", column: "b", values: [[value]] }], axes)).toThrow(`not ${value}`);
    }
  });
});
