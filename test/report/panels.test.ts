import { describe, expect, it } from "vitest";
import { renderSvg } from "../../src/report/chart.js";
import { heatPanels, type ScatterPanel, scatterPanels } from "../../src/report/panels.js";

const titles = { title: "Places", subtitle: ["of two networks"] };
const point = (x: number, y: number, group = "0") => ({ x, y, group });

describe("scatterPanels", () => {
  const panels: ScatterPanel[] = [
    { row: "plain", column: "clean", points: [point(0, 0), point(10, 5, "1")] },
    { row: "plain", column: "attacked", points: [point(20, -5)] },
    { row: "SQA", column: "clean", points: [point(100, 100)] },
  ];

  it("draws a panel for each, with its row, its column and all groups", async () => {
    const svg = await renderSvg(scatterPanels(panels, titles));
    for (const text of ["Places", "of two networks", "plain", "SQA", "clean", "attacked", "0", "1"]) {
      expect(svg).toContain(`>${text}</text>`);
    }
  });

  it("gives panels of a row one scale", () => {
    const { data } = scatterPanels(panels, titles) as unknown as {
      data: { values: { x: number; y: number }[] };
    };
    expect(data.values.map(({ x, y }) => [x, y])).toEqual([
      [0, 0.5],
      [0.5, 1],
      [1, 0],
      [0.5, 0.5],
    ]);
  });

  it("needs a panel", () => {
    expect(() => scatterPanels([], titles)).toThrow('chart "Places" must have at least one panel');
  });
});

describe("heatPanels", () => {
  const axes = { ...titles, x: "unit", y: "class" };

  it("draws a cell for each number", async () => {
    const values = [
      [0, 0.5, 1],
      [0.2, 0.4, 0.6],
    ];
    const svg = await renderSvg(heatPanels([{ row: "SQA", column: "clean", values }], axes));
    expect(svg.match(/<path[^>]*fill="(rgb|#)[^>]*>/g)!.length).toBeGreaterThanOrEqual(6);
    for (const text of ["unit", "class", "SQA"]) expect(svg).toContain(`>${text}</text>`);
  });

  it("takes shares alone", () => {
    for (const value of [-0.1, 1.1, Number.NaN]) {
      expect(() => heatPanels([{ row: "a", column: "b", values: [[value]] }], axes)).toThrow(`not ${value}`);
    }
  });
});
