import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { short } from "../data/format.js";

/** Curve of a chart. */
export interface Curve {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  /** Number of its color; curves of one thing share it. */
  readonly color: number;
  readonly dashed?: boolean;
}

/** Mark on the axis of steps. */
export interface Mark {
  readonly at: number;
  readonly text: string;
}

/** Colors that color-blind readers tell apart (Okabe and Ito), for a light and a dark page. */
const palettes = {
  light: ["#0060a8", "#b04a00", "#00735a", "#8a3a78", "#6b5800", "#333333", "#a02020", "#2a6f97"],
  dark: ["#6cb8f0", "#f0a050", "#4fc9a4", "#e08fc8", "#e8d860", "#dddddd", "#ff8a80", "#9ad0ec"],
};

const darkQuery = matchMedia("(prefers-color-scheme: dark)");

/** Tells whether the page is dark; it follows the reader's wish. */
export function useDark(): boolean {
  const [dark, setDark] = useState(darkQuery.matches);
  useEffect(() => {
    const follow = () => setDark(darkQuery.matches);
    darkQuery.addEventListener("change", follow);
    return () => darkQuery.removeEventListener("change", follow);
  }, []);
  return dark;
}

/** Values of curves on one common axis. */
function joined(curves: readonly Curve[]): uPlot.AlignedData {
  if (curves.length === 0) return [[]];
  return uPlot.join(curves.map(({ x, y }) => [[...x], [...y]] as uPlot.AlignedData));
}

interface ChartProps {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly marks?: readonly Mark[];
  /** Range of the vertical axis, where it is fixed. */
  readonly range?: readonly [number, number];
  readonly percent?: boolean;
}

/** Chart of curves over steps. What it shows last stands below it as text. */
export function Chart({ title, curves, marks = [], range, percent = false }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const shownMarks = useRef(marks);
  shownMarks.current = marks;
  const dark = useDark();
  const form = curves.map(({ name, color, dashed }) => `${name} ${color} ${dashed}`).join("\n");
  const drawn = useRef(curves);
  drawn.current = curves;
  useEffect(() => {
    const element = place.current!;
    const colors = palettes[dark ? "dark" : "light"];
    const ink = dark ? "#c8ccd2" : "#3a3f45";
    const axis = { stroke: ink, grid: { stroke: dark ? "#33383f" : "#e2e5e9" }, ticks: { stroke: ink } };
    const values = (_: uPlot, splits: number[]) =>
      splits.map((value) => (percent ? `${Math.round(100 * value)} %` : short(value)));
    const made = new uPlot(
      {
        width: element.clientWidth || 320,
        height: 240,
        scales: {
          x: { time: false, range: (_, low, high) => reach(low, high, shownMarks.current) },
          y: range === undefined ? {} : { range: [...range] },
        },
        axes: [axis, { ...axis, size: 56, values }],
        legend: { show: false },
        cursor: { y: false },
        series: [
          {},
          ...drawn.current.map(({ name, color, dashed }) => ({
            label: name,
            stroke: colors[color % colors.length]!,
            width: 1.6,
            spanGaps: true,
            ...(dashed === true ? { dash: [6, 4] } : {}),
          })),
        ],
        hooks: { draw: [(chart) => drawMarks(chart, shownMarks.current, dark ? "#ff8a80" : "#b00020")] },
      },
      joined(drawn.current),
      element,
    );
    plot.current = made;
    const fit = new ResizeObserver(() => made.setSize({ width: element.clientWidth || 320, height: 240 }));
    fit.observe(element);
    return () => {
      fit.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [form, dark, percent, range?.[0], range?.[1]]);
  useEffect(() => plot.current?.setData(joined(curves)), [curves]);
  const said = (value: number | null | undefined) =>
    percent && typeof value === "number" ? `${(100 * value).toFixed(1)} %` : short(value);
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={place} role="img" aria-label={`${title}, ${extent(curves)}`} />
      <ul class="legend">
        {curves.map(({ name, color, dashed, y }) => (
          <li key={name}>
            <span class={`swatch color-${color % 8}${dashed === true ? " dashed" : ""}`} aria-hidden="true" />
            {name} <b>{said(y.at(-1))}</b>
          </li>
        ))}
      </ul>
      {marks.length > 0 && (
        <p class="alarm-note">
          {`Red lines: ${marks.map(({ at, text }) => `${text} (step ${at})`).join(", ")}`}
        </p>
      )}
    </figure>
  );
}

/** Range of the axis of steps: that of the curves, and of marks beside them. */
function reach(low: number, high: number, marks: readonly Mark[]): [number, number] {
  const places = marks.map(({ at }) => at);
  const [first, last] = [Math.min(low, ...places), Math.max(high, ...places)];
  return Number.isFinite(first) && first < last ? [first, last] : [0, Math.max(1, last)];
}

/** Reach of curves in words; what they show last stands below the chart. */
function extent(curves: readonly Curve[]): string {
  const last = Math.max(0, ...curves.map(({ x }) => x.at(-1) ?? 0));
  const names = curves.map(({ name }) => name).join(", ");
  return last === 0 ? "nothing yet" : `up to ${last}: ${names}`;
}

function drawMarks(chart: uPlot, marks: readonly Mark[], color: string): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = 2;
  ctx.setLineDash([3, 3]);
  for (const { at } of marks) {
    const x = chart.valToPos(at, "x", true);
    if (!(x >= bbox.left && x <= bbox.left + bbox.width)) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
