import type { TopLevelSpec } from "vega-lite";
import { chartTitle } from "./chart-title.js";
import { CHART_SCHEMA, CHART_THEME, SERIES_COLORS } from "./palette.js";

/**
 * One measured value; `low` and `high` are the ends of its interval: a band, or bars where the series is
 * drawn as points.
 */
export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

/**
 * A named line with marks at its points; `drawn` leaves out either. Charts with a dashed line set a baseline
 * or a paper's numbers apart from measured ones.
 */
export interface ChartSeries {
  readonly name: string;
  readonly points: readonly ChartPoint[];
  readonly dashed?: boolean;
  readonly drawn?: "line" | "points";
  readonly color?: string;
}

/**
 * An axis. `percent` shows shares in [0, 1] as percent and fixes the axis to them; `domain` fixes it to
 * anything. `levels` writes values as gray levels, such as 8/255, at ticks that are whole or halves of them.
 */
export interface ChartAxis {
  readonly label: string;
  readonly percent?: boolean;
  readonly domain?: readonly [number, number];
  readonly log?: boolean;
  readonly values?: readonly number[];
  readonly levels?: boolean;
}

/** Contents of a line chart; width and height are those of the plot in pixels. */
export interface LineChart {
  readonly title: string;
  readonly subtitle?: string | readonly string[];
  readonly x: ChartAxis;
  readonly y: ChartAxis;
  readonly series: readonly ChartSeries[];
  readonly width?: number;
  readonly height?: number;
}

/**
 * A line chart as a vega-lite spec: plain JSON, to be kept beside the numbers it shows.
 * RangeError for no series, two of the same name, or a coordinate that is not finite.
 */
export function lineChart(chart: LineChart): TopLevelSpec {
  const { title, subtitle = [], width = 640, height = 340 } = chart;
  return {
    $schema: CHART_SCHEMA,
    config: CHART_THEME,
    title: chartTitle(title, [subtitle].flat(), width),
    width,
    height,
    data: { values: valuesOf(title, chart.series) },
    ...linesOf(chart.series, chart, width),
  };
}

/** Points of series as a chart's data hold them. RangeError as of `lineChart`. */
export function valuesOf(title: string, series: readonly ChartSeries[]) {
  const names = series.map(({ name }) => name);
  if (names.length === 0) throw new RangeError(`chart "${title}" must have at least one series, given none`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new RangeError(`chart "${title}" has two series named "${twice}"`);
  return series.flatMap((one) => one.points.map((point) => chartValue(point, one)));
}

type Layers = Extract<TopLevelSpec, { layer: unknown }>["layer"];

/** Marks and axes of series, without their data, with a legend of at most `width` pixels below. */
export function linesOf(
  series: readonly ChartSeries[],
  axes: { readonly x: ChartAxis; readonly y: ChartAxis },
  width: number,
) {
  const names = series.map(({ name }) => name);
  const colors = series.map(({ color }, i) => color ?? SERIES_COLORS[i % SERIES_COLORS.length]!);
  // Colors come again after the last one: dashes tell these lines from the first.
  const isAgain = (i: number) => series[i]!.color === undefined && i >= SERIES_COLORS.length;
  const dashes = series.map(({ dashed }, i) => (dashed === true || isAgain(i) ? [6, 4] : [1, 0]));
  const legend =
    names.length > 1
      ? { orient: "bottom" as const, columns: legendColumns(names, width), symbolType: "stroke" }
      : null;
  const color = {
    field: "series",
    type: "nominal" as const,
    sort: null,
    scale: { domain: names, range: colors },
  };
  const strokeDash = { ...color, scale: { domain: names, range: dashes }, legend };
  const farthest = Math.max(...series.flatMap(({ points }) => points.map((point) => point.x)));
  const x = { field: "x", type: "quantitative" as const, ...axisOf(axes.x, farthest) };
  const y = { field: "y", type: "quantitative" as const, ...axisOf(axes.y) };
  const layer: Layers = [
    {
      transform: [{ filter: "isValid(datum.low) && isValid(datum.high) && datum.drawn !== 'points'" }],
      mark: { type: "area", opacity: 0.16, clip: true },
      encoding: { y: { ...y, field: "low" }, y2: { field: "high" } },
    },
    {
      transform: [{ filter: "isValid(datum.low) && isValid(datum.high) && datum.drawn === 'points'" }],
      mark: { type: "rule", strokeWidth: 2, clip: true },
      encoding: { y: { ...y, field: "low" }, y2: { field: "high" } },
    },
    {
      transform: [{ filter: "datum.drawn !== 'points'" }],
      mark: { type: "line", strokeWidth: 2.5, strokeCap: "round", strokeJoin: "round", clip: true },
      encoding: { y, strokeDash },
    },
    {
      transform: [{ filter: "datum.drawn !== 'line'" }],
      mark: { type: "point", filled: true, size: pointSize(series), opacity: 1, tooltip: true },
      encoding: { y },
    },
  ];
  return { encoding: { x, color: { ...color, legend } }, layer };
}

/** A point as the chart's data hold it. */
function chartValue(point: ChartPoint, { name: series, drawn }: ChartSeries) {
  for (const [name, value] of Object.entries(point)) {
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw new RangeError(
        `series "${series}" has a point whose ${name} is ${value}; accepted: a finite number`,
      );
    }
  }
  return { series, ...point, ...(drawn === undefined ? {} : { drawn }) };
}

/** Distances between ticks, in gray levels. */
const levelSteps = [0.5, 1, 2, 4, 8, 16, 32, 64];

/** Ticks from 0 to a value as gray levels, at most nine. */
function levelTicks(farthest: number): number[] {
  const step = levelSteps.find((one) => (255 * farthest) / one <= 8.001) ?? 64;
  const count = Math.floor((255 * farthest) / step + 1e-6);
  return Array.from({ length: count + 1 }, (_, i) => (i * step) / 255);
}

/** Ticks of an axis and how they are written. */
function ticksOf(axis: ChartAxis, farthest: number) {
  if (axis.levels === true) {
    const text = "round(datum.value * 2550) / 10";
    return { values: levelTicks(farthest), labelExpr: `datum.value === 0 ? '0' : ${text} + '/255'` };
  }
  return axis.values === undefined ? { tickCount: 8 } : { values: [...axis.values] };
}

function axisOf(axis: ChartAxis, farthest = 0) {
  const domain = axis.domain ?? (axis.percent === true ? [0, 1] : undefined);
  return {
    title: axis.label,
    axis: {
      ...(axis.percent === true ? { format: ".0%" } : {}),
      ...ticksOf(axis, farthest),
    },
    scale: {
      ...(domain === undefined ? { zero: false } : { domain: [...domain], nice: false }),
      ...(axis.log === true ? { type: "log" as const } : {}),
    },
  };
}

/** Points of a dense curve would merge into a caterpillar, so those are left out. */
function pointSize(series: readonly ChartSeries[]): number {
  const most = Math.max(0, ...series.map(({ points, drawn }) => (drawn === "line" ? 0 : points.length)));
  return most <= 30 ? 36 : 0;
}

function legendColumns(names: readonly string[], width: number): number {
  const longest = Math.max(...names.map((name) => name.length));
  return evenColumns(names.length, Math.max(1, Math.floor(width / (longest * 9.6 + 60))));
}

/** Columns, at most `most`, that give each row as many things as the others, where that can be. */
export function evenColumns(count: number, most: number): number {
  return Math.ceil(count / Math.ceil(count / most));
}
