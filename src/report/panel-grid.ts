import { chartTitle } from "./chart-title.js";
import { CHART_SCHEMA, CHART_THEME } from "./palette.js";

/** A grid of small charts of one kind: each stands in its row and column by their names. */
export interface Panel {
  readonly row: string;
  readonly column: string;
}

/** Title of a grid, and lines below it. */
export interface Titles {
  readonly title: string;
  readonly subtitle: readonly string[];
}

/** Names in the order in which they first come. */
const inOrder = (names: readonly string[]) => [...new Set(names)];

/** Grid of panels without their marks; `width` is that of a panel, in pixels. */
export function grid(panels: readonly Panel[], { title, subtitle }: Titles, width: number) {
  if (panels.length === 0) throw new RangeError(`chart "${title}" must have at least one panel, given none`);
  const header = (field: "row" | "column") => ({
    field,
    type: "nominal" as const,
    sort: inOrder(panels.map((panel) => panel[field])),
    title: null,
    header: { labelFontSize: 12, labelColor: CHART_THEME.axis.titleColor },
  });
  return {
    $schema: CHART_SCHEMA,
    // Thousands of marks, none of which is worth a label of its own.
    config: { ...CHART_THEME, aria: false },
    title: chartTitle(title, subtitle, width * new Set(panels.map(({ column }) => column)).size),
    facet: { row: header("row"), column: header("column") },
  };
}
