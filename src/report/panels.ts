import type { TopLevelSpec } from "vega-lite";
import { chartTitle } from "./chart-title.js";
import { CHART_THEME } from "./palette.js";

/** A grid of small charts of one kind: each stands in its row and column by their names. */
interface Panel {
  readonly row: string;
  readonly column: string;
}

/** Points of named groups. */
export interface ScatterPanel extends Panel {
  readonly points: readonly { readonly x: number; readonly y: number; readonly group: string }[];
}

/** A table of numbers in [0, 1], `values[y][x]`. */
export interface HeatPanel extends Panel {
  readonly values: readonly (readonly number[])[];
}

interface Titles {
  readonly title: string;
  readonly subtitle: readonly string[];
}

/** Names in the order in which they first come. */
const inOrder = (names: readonly string[]) => [...new Set(names)];

/** `width` is that of a panel, in pixels. */
function grid(panels: readonly Panel[], { title, subtitle }: Titles, width: number) {
  if (panels.length === 0) throw new RangeError(`chart "${title}" must have at least one panel, given none`);
  const header = (field: "row" | "column") => ({
    field,
    type: "nominal" as const,
    sort: inOrder(panels.map((panel) => panel[field])),
    title: null,
    header: { labelFontSize: 12, labelColor: CHART_THEME.axis.titleColor },
  });
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    // Thousands of marks, none of which is worth a label of its own.
    config: { ...CHART_THEME, aria: false },
    title: chartTitle(title, subtitle, width * new Set(panels.map(({ column }) => column)).size),
    facet: { row: header("row"), column: header("column") },
  };
}

/** Points brought to [0, 1]; panels of one row have one scale, so that a place is the same in each. */
function scaledByRow(panels: readonly ScatterPanel[]) {
  return panels.flatMap(({ row, column, points }) => {
    const all = panels.filter((panel) => panel.row === row).flatMap((panel) => panel.points);
    const scale = (key: "x" | "y") => {
      const values = all.map((point) => point[key]);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      return (value: number) => (high > low ? (value - low) / (high - low) : 0.5);
    };
    const [x, y] = [scale("x"), scale("y")];
    return points.map((point) => ({ row, column, x: x(point.x), y: y(point.y), group: point.group }));
  });
}

/**
 * Scatter plots as a vega-lite spec, without axes: places tell by their neighbors alone. RangeError for no
 * panels.
 */
export function scatterPanels(
  panels: readonly ScatterPanel[],
  titles: Titles & { readonly size?: number },
): TopLevelSpec {
  const { size = 320 } = titles;
  const groups = inOrder(panels.flatMap(({ points }) => points.map(({ group }) => group))).sort();
  const hidden = { axis: null, scale: { domain: [-0.03, 1.03] } };
  return {
    ...grid(panels, titles, size),
    data: { values: scaledByRow(panels) },
    spec: {
      width: size,
      height: size,
      view: { stroke: CHART_THEME.axis.gridColor },
      mark: { type: "point", filled: true, size: 14, opacity: 0.8 },
      encoding: {
        x: { field: "x", type: "quantitative", ...hidden },
        y: { field: "y", type: "quantitative", ...hidden },
        color: {
          field: "group",
          type: "nominal",
          scale: { domain: groups, scheme: "tableau10" },
          legend: {
            orient: "bottom",
            columns: groups.length,
            columnPadding: 8,
            symbolSize: 80,
            symbolType: "circle",
          },
        },
      },
    },
  };
}

/** Heat maps as a vega-lite spec. RangeError for no panels, or a number outside [0, 1]. */
export function heatPanels(
  panels: readonly HeatPanel[],
  titles: Titles & {
    readonly x: string;
    readonly y: string;
    readonly width?: number;
    readonly height?: number;
  },
): TopLevelSpec {
  const { x, y, width = 400, height = 130 } = titles;
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
          legend: null,
        },
      },
    },
  };
}
