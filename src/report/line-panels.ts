import type { TopLevelSpec } from "vega-lite";
import { chartTitle } from "./chart-title.js";
import { type ChartSeries, evenColumns, type LineChart, linesOf, valuesOf } from "./line-chart.js";
import { CHART_SCHEMA, CHART_THEME } from "./palette.js";

/** One small chart of several. A series of the same name stands for the same in each. */
export interface LinePanel {
  readonly name: string;
  readonly series: readonly ChartSeries[];
}

/** Contents of small line charts that share axes and legend; width and height are those of one plot. */
export interface LinePanels extends Omit<LineChart, "series"> {
  readonly panels: readonly LinePanel[];
}

/** Pixels that a row of panels takes. */
const fullWidth = 720;
const mostColumns = 4;

/**
 * Line charts beside one another, at most four in a row, as one vega-lite spec. RangeError for no panel, two
 * of the same name, and as of `lineChart`.
 */
export function linePanels(chart: LinePanels): TopLevelSpec {
  const { title, subtitle = [], panels } = chart;
  if (panels.length === 0) throw new RangeError(`chart "${title}" must have at least one panel, given none`);
  const columns = evenColumns(panels.length, mostColumns);
  const { width = Math.round(fullWidth / columns), height = Math.round(240 - 30 * columns) } = chart;
  const names = panels.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new RangeError(`chart "${title}" has two panels named "${twice}"`);
  const values = panels.flatMap(({ name: panel, series }) =>
    valuesOf(title, series).map((value) => ({ ...value, panel })),
  );
  // In the order of the panel with the most, so that a series of that panel alone is not the last.
  const longest = [...panels].sort((one, other) => other.series.length - one.series.length);
  const series = new Map(longest.flatMap((panel) => panel.series.map((one) => [one.name, one])));
  return {
    $schema: CHART_SCHEMA,
    config: CHART_THEME,
    title: chartTitle(title, [subtitle].flat(), columns * width),
    data: { values },
    facet: {
      field: "panel",
      type: "nominal",
      sort: names,
      title: null,
      header: { labelFontSize: 12, labelFontWeight: "bold", labelColor: CHART_THEME.axis.titleColor },
    },
    columns,
    // Else an axis is drawn below the empty places of the last row as well.
    resolve: { axis: { x: "independent" } },
    spec: { width, height, ...linesOf([...series.values()], chart, columns * width) },
  };
}
