import { formatRatio } from "../../../options/index.js";
import {
  type ChartPoint,
  type ChartSeries,
  type LineChart,
  lineChart,
  SERIES_COLORS,
} from "../../../report/index.js";
import type { Effort } from "../curves/convergence-curves.js";
import type { Curve, CurvePoint } from "../curves/curves.js";
import type { AuditJson } from "./schema/audit.js";

const [ink, gray] = ["#1f2933", "#9aa5b1"];

/** Security curve: every attack that has one, each image's worst case, and the other attacks as points. */
export function securityChart(audit: AuditJson) {
  return lineChart({
    title: "Accuracy against epsilon",
    subtitle: [
      "solid: by gradients; dashed: by answers, or another model; gray: one radius alone",
      "with marks: attacked at each of these radii; without: by the lengths of perturbations",
      `band and bar: 95 % intervals of the worst case and of ${claimName(audit)}`,
    ],
    // Where the radius itself is written so.
    x: { label: `${audit.norm} radius`, levels: formatRatio(audit.epsilon).endsWith("/255") },
    y: { label: "accuracy", percent: true },
    series: [...curveSeries(audit.curves), ...pointsAtRadius(audit)],
    width: 820,
    height: 400,
  });
}

/** First color of each kind: so that the first few of both differ by more than their dashes. */
const firstColor = { gradients: 0, others: 4 } as const;

function curveSeries(curves: readonly Curve[]): ChartSeries[] {
  return curves.map(({ name, by, fromLengths, points }) => {
    const place = curves.filter((one) => one.by === by).findIndex((one) => one.name === name);
    return {
      name,
      points: chartPoints(points, by === "all"),
      color: by === "all" ? ink : SERIES_COLORS[(firstColor[by] + place) % SERIES_COLORS.length]!,
      ...(by === "others" ? { dashed: true } : {}),
      ...(fromLengths ? { drawn: "line" as const } : {}),
    };
  });
}

/** Name of the claimed attack, or of the reference where nobody claims anything. */
const claimName = ({ claimGiven, claimedByLabel }: AuditJson) =>
  claimGiven ? "claimed attack" : claimedByLabel;

/** Attacks at the audited radius that have no curve, and the claimed one. */
function pointsAtRadius(audit: AuditJson): ChartSeries[] {
  const { norm, epsilon, trials } = audit;
  const others = trials.filter((trial) => {
    const inBall = trial.norm === norm && trial.radius === epsilon;
    return trial.shownTo === "model" && inBall && !trial.onCurve;
  });
  const points = others.map(({ accuracy }) => ({ x: epsilon, y: accuracy }));
  const { accuracy, low, high } = audit.claim;
  const claimed = { at: epsilon, accuracy, low, high };
  return [
    ...(points.length === 0
      ? []
      : [{ name: "other attacks", points, color: gray, drawn: "points" as const }]),
    { name: claimName(audit), points: chartPoints([claimed], true), color: "#b42318", drawn: "points" },
  ];
}

const axes: Readonly<Record<Effort, { title: string; label: string }>> = {
  steps: { title: "Accuracy against steps", label: "steps" },
  restarts: { title: "Accuracy against restarts", label: "restarts" },
  draws: { title: "Accuracy against averaged draws", label: "draws that gradients are averaged over" },
};

/** Points beyond which marks would hide their line. */
const fewPoints = 8;

/** Size of the charts of convergence, two of which stand beside each other. */
const small = { width: 400, height: 230 } as const;

/** Charts of accuracy against each effort that the audit has varied, and of the loss. */
export function convergenceCharts({ convergence, losses }: AuditJson) {
  const charts = (Object.keys(axes) as Effort[]).flatMap((effort): LineChart[] => {
    const curves = convergence.filter(({ against, points }) => against === effort && points.length > 0);
    if (curves.length === 0) return [];
    const { title, label } = axes[effort];
    const series = curves.map(({ name, points }): ChartSeries => {
      // A line from 1 step to 40 would say what happens between.
      const few = effort === "steps" ? ("points" as const) : undefined;
      const drawn = points.length > fewPoints ? "line" : few;
      return { name, points: chartPoints(points, true), ...(drawn === undefined ? {} : { drawn }) };
    });
    const measured = [...new Set(curves.flatMap(({ points }) => points.map(({ at }) => at)))].sort(
      (a, b) => a - b,
    );
    // Restarts and draws are a few numbers, each the double or more of the one before.
    const x =
      effort === "steps"
        ? { label }
        : { label, log: true, values: measured, domain: [measured[0]!, measured.at(-1)!] as const };
    return [
      { title, subtitle: "95 % intervals", x, y: { label: "accuracy", percent: true }, series, ...small },
    ];
  });
  const loss: LineChart = {
    title: "Mean loss at each step of the standard attack",
    x: { label: "step" },
    y: { label: "cross-entropy" },
    series: [{ name: "loss", points: losses.map((y, x) => ({ x, y })) }],
    ...small,
  };
  return [...charts, ...(losses.length === 0 ? [] : [loss])].map(lineChart);
}

function chartPoints(points: readonly CurvePoint[], intervals: boolean): ChartPoint[] {
  return points.map(({ at, accuracy, low, high }) => ({
    x: at,
    y: accuracy,
    ...(intervals ? { low, high } : {}),
  }));
}
