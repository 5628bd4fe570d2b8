/** Colors that color-blind readers can tell apart (Okabe and Ito 2008), strongest first. */
export const SERIES_COLORS = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#e69f00",
  "#56b4e9",
  "#5d5d5d",
] as const;

/** Form that a chart is written in. */
export const CHART_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json";

const INK = "#1f2933";
const MUTED = "#52606d";
const GRID = "#e4e7eb";

/** The family asked for in charts; "DejaVu Sans" is what Debian and the font package have. */
export const CHART_FONT = "DejaVu Sans, Verdana, sans-serif";

/** Look of every chart of the project: a vega-lite config. */
export const CHART_THEME = {
  background: "white",
  font: CHART_FONT,
  padding: 16,
  title: {
    anchor: "start",
    frame: "group",
    fontSize: 15,
    fontWeight: "bold",
    color: INK,
    subtitleColor: MUTED,
    subtitleFontSize: 12,
    subtitlePadding: 5,
    offset: 14,
  },
  axis: {
    labelColor: MUTED,
    labelFontSize: 11,
    labelPadding: 6,
    titleColor: INK,
    titleFontSize: 12,
    titleFontWeight: "normal",
    titlePadding: 10,
    domainColor: MUTED,
    tickColor: MUTED,
    tickSize: 4,
    labelFlush: false,
    gridColor: GRID,
  },
  axisX: { grid: false },
  axisY: { domain: false, ticks: false },
  legend: {
    labelColor: INK,
    labelFontSize: 12,
    labelLimit: 420,
    symbolStrokeWidth: 2.5,
    symbolSize: 600,
    symbolOpacity: 1,
    symbolFillColor: "transparent",
    rowPadding: 6,
    columnPadding: 24,
    title: null,
  },
  view: { stroke: null },
} as const;
