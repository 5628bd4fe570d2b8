import { percent, renderTable } from "../../src/report/table.js";
import type { Machine } from "../shared/machine.js";

/** A component of AutoAttack over all batches. */
export interface PartResult {
  readonly name: string;
  /** Images that it attacked: those that the components before left. */
  readonly attacked: number;
  /** Of all images, after this component. */
  readonly robustAccuracy: number;
  /** Passes of single images. */
  readonly forward: number;
  readonly backward: number;
  readonly seconds: number;
  readonly processorSeconds: number;
}

export interface SideResult {
  readonly side: "ours" | "PyTorch";
  /** Engine that computes, such as `libtorch 2.13.0, AVX2`. */
  readonly engine: string;
  readonly clean: number;
  readonly parts: readonly PartResult[];
  readonly seconds: number;
}

/** All that a run says: what `--json` prints. */
export interface AutoAttackResult {
  readonly machine: Machine;
  readonly images: number;
  readonly batch: number;
  readonly network: string;
  readonly budgets: Readonly<Record<"epsilon" | "steps" | "queries" | "targets" | "seed", number>>;
  /** Ours first. */
  readonly sides: readonly SideResult[];
  /** Why there is no peer. */
  readonly problem?: string;
}

/** All components together. */
export function totalOf({ parts }: SideResult): PartResult {
  const sum = (of: "forward" | "backward" | "seconds" | "processorSeconds") =>
    parts.reduce((total, part) => total + part[of], 0);
  return {
    name: "all",
    attacked: parts[0]!.attacked,
    robustAccuracy: parts.at(-1)!.robustAccuracy,
    forward: sum("forward"),
    backward: sum("backward"),
    seconds: sum("seconds"),
    processorSeconds: sum("processorSeconds"),
  };
}

const seconds = (value: number) => value.toFixed(value < 10 ? 2 : 1);
const rate = (images: number, time: number) => (time > 0 ? (images / time).toFixed(1) : "-");
const ratio = (ours: number, theirs: number) =>
  ours > 0 && theirs > 0 ? `${(theirs / ours).toFixed(2)}x` : "-";

/** A result as Markdown: a line for each component and side, and how many times faster ours is. */
export function autoAttackMarkdown(result: AutoAttackResult): string {
  const { machine, images, batch, network, budgets, sides, problem } = result;
  const sided = sides.map((side) => ({ ...side, rows: [...side.parts, totalOf(side)] }));
  const [ours, theirs] = sided;
  const rows = ours!.rows.flatMap((_, i) =>
    sided.map(({ side, rows }) => {
      const part = rows[i]!;
      return [
        part.name,
        side,
        part.attacked,
        percent(part.robustAccuracy),
        part.forward,
        part.backward,
        seconds(part.processorSeconds),
        seconds(part.seconds),
        rate(part.attacked, part.processorSeconds),
        theirs === undefined || side !== "ours"
          ? ""
          : ratio(part.processorSeconds, theirs.rows[i]!.processorSeconds),
      ];
    }),
  );
  const columns = [
    "component",
    "side",
    "images",
    "robust %",
    "forward",
    "backward",
    "processor s",
    "wall s",
    "images/s",
    "faster",
  ];
  const right = "right" as const;
  const align = ["left", "left", right, right, right, right, right, right, right, right] as const;
  const { epsilon, steps, queries, targets } = budgets;
  const load = `load ${machine.loadAtStart.toFixed(1)} to ${machine.loadAtEnd.toFixed(1)}`;
  return [
    `# AutoAttack standard on ${network.toUpperCase()}, ${images} MNIST test images, epsilon ${epsilon}`,
    `${steps} steps, ${queries} queries, ${targets} classes; batches of ${batch}; clean ${sides
      .map(({ side, clean }) => `${percent(clean)} % (${side})`)
      .join(", ")}`,
    renderTable({ columns, rows, align }, "markdown"),
    "Passes are of single images; images/s and `faster` are by processor time.",
    [
      `- ${machine.cpu}, bfloat16: ${machine.bfloat16}, threads ${machine.threads}, ${load}, Node ` +
        `${machine.node}`,
      ...sides.map(({ side, engine }) => `- ${side}: ${engine}`),
      ...(problem === undefined ? [] : [`- PyTorch: ${problem}`]),
    ].join("\n"),
  ].join("\n\n");
}
