import type { TopLevelSpec } from "vega-lite";
import { grid, type Panel, type Titles } from "./panel-grid.js";

/** A table of numbers in [0, 1], `values[y][x]`. */
export interface HeatPanel extends Panel {
  readonly values: readonly (readonly number[])[];
}

/**
 * Heat maps as a vega-lite spec, with their color scale; tables may differ in size. RangeError for no
 * panels, or a number outside [0, 1].
 */
export function heatPanels(
  panels: readonly HeatPanel[],
  titles: Titles & {
    readonly x: string;
    readonly y: string;
    /** Meaning of the colors. */
    readonly scale: string;
    readonly width?: number;
    readonly height?: number;
  },
): TopLevelSpec {
  const { x, y, scale, width = 384, height = 130 } = titles;
  const values = panels.flatMap(({ row, column, values: rows }) =>
    rows.flatMap((line, at) =>
      line.map((value, i) => {
        if (!(value >= 0 && value <= 1)) throw new RangeError(`values must lie in [0, 1], not ${value}`);
        return { row, column, x: i, y: at, value };
      }),
    ),
  );
  const axis = (title: string) => ({
    type: "ordinal" as const,
    title,
    axis: { labels: false, ticks: false },
  });
  return {
    ...grid(panels, titles, width),
    data: { values },
    resolve: { scale: { x: "independent" } },
    spec: {
      width,
      height,
      mark: { type: "rect" },
      encoding: {
        x: { field: "x", ...axis(x) },
        y: { field: "y", ...axis(y), axis: { ticks: false } },
        color: {
          field: "value",
          type: "quantitative",
          scale: { domain: [0, 1], scheme: "viridis" },
          legend: {
            title: scale,
            titleFontSize: 12,
            titleFontWeight: "normal",
            titleLimit: 600,
            orient: "bottom",
            direction: "horizontal",
            gradientLength: 260,
          },
        },
      },
    },
  };
}
