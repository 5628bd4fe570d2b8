import {
  type Audit,
  type AuditPlan,
  attackOf,
  type Curve,
  type CurvePoint,
  type Effort,
  minimalAttacks,
  radiusAttacks,
  trialLabel,
} from "../evaluation/audit/index.js";
import { type ChartPoint, type ChartSeries, type LineChart, lineChart } from "../report/line-chart.js";
import { SERIES_COLORS } from "../report/palette.js";

const [ink, gray] = ["#1f2933", "#9aa5b1"];

/** The security curve of an audit: every attack that has one, each image's worst case, and the other attacks as points. */
export function securityChart(audit: Audit, plan: AuditPlan) {
  return lineChart({
    title: "Accuracy against epsilon",
    subtitle: [
      "solid: by gradients; dashed: by answers, or another network; gray: one radius alone",
      "with marks: attacked at each of these radii; without: by the lengths of perturbations",
      "band and bar: 95 % intervals of the worst case and of the claimed attack",
    ],
    x: { label: `${plan.norm} radius` },
    y: { label: "accuracy", percent: true },
    series: [...curveSeries(audit.curves), ...pointsAtRadius(audit, plan)],
    width: 820,
    height: 400,
  });
}

/** The first color of each kind: so that the first few of both differ by more than their dashes. */
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

/** The attacks at the audited radius that have no curve, and the claimed one. */
function pointsAtRadius(audit: Audit, plan: AuditPlan): ChartSeries[] {
  const onCurves = new Set(
    [
      ...radiusAttacks(plan).map(({ at }) => at(plan.epsilon)),
      ...minimalAttacks(plan).map(({ within }) => within),
      plan.claim,
    ].map(trialLabel),
  );
  const others = audit.trials.filter(({ trial, label }) => {
    const traits = attackOf(trial)?.traits;
    const inBall = traits?.norm === plan.norm && traits.radius === plan.epsilon;
    return trial.shownTo === "network" && inBall && !onCurves.has(label);
  });
  const points = others.map(({ answers }) => ({ x: plan.epsilon, y: answers.mean() }));
  const claimed = { at: plan.epsilon, ...audit.claim };
  return [
    ...(points.length === 0 ? [] : [{ name: "other attacks", points, color: gray, drawn: "points" as const }]),
    { name: "claimed attack", points: chartPoints([claimed], true), color: "#b42318", drawn: "points" },
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

/** How accuracy falls with each effort that the audit has varied, and how the loss rises. */
export function convergenceCharts({ convergence, losses }: Audit) {
  const charts = (Object.keys(axes) as Effort[]).flatMap((effort): LineChart[] => {
    const curves = convergence.filter(({ against }) => against === effort);
    if (curves.length === 0) return [];
    const { title, label } = axes[effort];
    const series = curves.map(({ name, points }): ChartSeries => {
      // A line from 1 step to 40 would say what happens between.
      const few = effort === "steps" ? ("points" as const) : undefined;
      const drawn = points.length > fewPoints ? "line" : few;
      return { name, points: chartPoints(points, true), ...(drawn === undefined ? {} : { drawn }) };
    });
    const measured = [...new Set(curves.flatMap(({ points }) => points.map(({ at }) => at)))].sort((a, b) => a - b);
    // Restarts and draws are a few numbers, each the double or more of the one before.
    const x =
      effort === "steps"
        ? { label }
        : { label, log: true, values: measured, domain: [measured[0]!, measured.at(-1)!] as const };
    return [{ title, subtitle: "95 % intervals", x, y: { label: "accuracy", percent: true }, series, ...small }];
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
  return points.map(({ at, accuracy, low, high }) => ({ x: at, y: accuracy, ...(intervals ? { low, high } : {}) }));
}
