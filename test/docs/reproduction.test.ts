import { describe, expect, it } from "vitest";
import { expected, type Published, TableResult } from "../../src/paper/index.js";
import { RunFolder } from "../../src/training/index.js";
import { auditRow } from "./audit-rows.js";
import { read, reproductions } from "./pages.js";

const page = (name: string) => read(`docs/reproduction/${name}.md`);
const json = (name: string) => JSON.parse(read(`results/${name}.json`));

/** Stored row or network, as far as it is read here. */
interface StoredRow {
  readonly key: string;
  readonly title: string;
  readonly measured: Readonly<Record<string, { mean: number; deviation?: number; values: number[] }>>;
  readonly runs: readonly (readonly { readonly validation: readonly { readonly accuracy: number }[] }[])[];
  readonly neighbors: Readonly<Record<"clean" | "cw", number>>;
  readonly moved: number;
  readonly config: { readonly data: string };
}

/** Data sets as pages name them. */
const dataNames: Readonly<Record<string, string>> = { mnist: "MNIST", cifar10: "CIFAR-10" };

const rows = (name: string): StoredRow[] => json(name).rows ?? json(name).networks;
const rowOf = (name: string, key: string) => rows(name).find((row) => row.key === key)!;

const spread = (mean: number, deviation?: number) =>
  deviation === undefined ? mean.toFixed(2) : `${mean.toFixed(2)} ± ${deviation.toFixed(2)}`;
const published = (value: Published) => (typeof value === "number" ? spread(value) : spread(...value));
const cells = (values: readonly (string | number)[]) => `| ${values.join(" | ")} |`;

/** Lines that a page must have, each out of the stored JSON or of the paper's numbers. */
function missing(name: string, lines: readonly string[]): string[] {
  expect(lines.length).toBeGreaterThan(1);
  return lines.filter((line) => !page(name).includes(line));
}

/** Table that a stored JSON file prints. */
const printed = (name: string) =>
  TableResult.read(json(name), name)
    .markdown()
    .split("\n")
    .filter((line) => line.startsWith("|"));

/** Seconds of an iteration in a stored Table 4, by row. */
function secondsOf(name: string) {
  const stored: readonly { key: string; measured: number }[] = json(name).rows;
  return (key: keyof typeof expected.table4) => stored.find((row) => row.key === key)!.measured;
}

const figures = [
  "table1",
  "table2",
  "table3",
  "table4",
  "figure1",
  "figure2",
  "figure3",
  "overfitting",
  "collapse",
];

describe("docs/reproduction/", () => {
  it("has a page for each table and figure of the paper", () => {
    const names = [...figures, "README", "readings", "audit"].map((name) => `docs/reproduction/${name}.md`);
    expect([...reproductions].sort()).toEqual(names.sort());
  });

  it.each(figures)("%s says claim, run, result, and difference", (name) => {
    const headings = [...page(name).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings.slice(0, 4)).toEqual([
      "The paper's claim",
      "What was run",
      "Result",
      "Difference and cause",
    ]);
    expect(page("README")).toContain(`](${name}.md)`);
  });

  it.each([
    ["table1", "table1"],
    ["table1", "table1-mnist-short"],
    ["table1", "noise-free-mnist-short"],
    ["table2", "table2"],
    ["table3", "table3-mnist-audit"],
    ["table3", "table3-cifar10"],
    ["table4", "table4"],
    ["readings", "placements-8-epochs"],
    ["readings", "placements-15-epochs"],
  ])("%s shows the table of results/%s.json", (name, stored) => {
    expect(missing(name, printed(stored))).toEqual([]);
  });

  it("shows the seeds of Table 1", () => {
    const lines = rows("table1").map(({ title, measured }) =>
      cells([title, ...measured["pgd-0.3-restarts"]!.values.map((value) => value.toFixed(1))]),
    );
    expect(missing("table1", lines)).toEqual([]);
  });

  it("shows the paper's Tables 2 and 3", () => {
    const titles = Object.entries(expected.table2.rows).map(([key, row]) => {
      const [net, kind] = key.split("-");
      const title = `${net!.replace("resnet", "ResNet-")}, ${kind === "full" ? "full precision" : "SQA"}`;
      return cells([title, ...Object.values(row).map(published)]);
    });
    expect(missing("table2", titles)).toEqual([]);
    const defenses = Object.values(expected.table3.rows).map(
      (row: { title: string; "pgd-8"?: number; "cw-8"?: number }) =>
        cells([row.title, row["pgd-8"] ?? "–", row["cw-8"] ?? "–"]),
    );
    expect(missing("table3", defenses)).toEqual([]);
  });

  it("shows the ratios of Table 4, and SQA's share", () => {
    const lines = ["table4", "table4-resnet18-width-16", "table4-small", "table4-large"].map((name) => {
      const seconds = secondsOf(name);
      const ratios = (["fgsm-sqa", "pgd-100"] as const).map((key) => seconds(key) / seconds("fgsm"));
      const notes = TableResult.read(json(name), name).notes.join(" ");
      const share = /SQA adds [\d.e-]+ s to a pass, (\d+ %)/.exec(notes)?.[1] ?? "none to be told";
      return `| ${[...ratios.map((ratio) => ratio.toFixed(2)), share].join(" | ")} |`;
    });
    expect(missing("table4", lines)).toEqual([]);
  });

  it("shows Table 2's recipe of today", () => {
    const files = ["", "-fgsm-epsilon-8-255"].map(
      (end) => rows(`speed-cifar10-modern-resnet18-width-16${end}`)[0]!.measured,
    );
    const lines = files.map(({ clean, pgd, autoattack }) =>
      cells([clean, pgd, autoattack].map((of) => spread(of!.mean))),
    );
    expect(missing("table2", lines)).toEqual([]);
  });

  it("shows the points of Figure 1", () => {
    const lines = rows("figure1").map(({ title, measured }) =>
      cells([title, ...Object.values(measured).map(({ mean }) => spread(mean))]),
    );
    expect(missing("figure1", lines)).toEqual([]);
  });

  it("shows what Figures 2 and 3 measure", () => {
    const neighbors = rows("figure2-mnist-short").map((row) =>
      cells([row.title, ...Object.values(row.neighbors).map((share) => share.toFixed(1))]),
    );
    expect(missing("figure2", neighbors)).toEqual([]);
    const moved = rows("figure3-mnist-short").map(({ title, config, moved: change, measured }) => {
      const accuracies = [measured.clean!, measured.cw!].map(({ mean }) => mean.toFixed(1));
      return cells([dataNames[config.data]!, title, change.toFixed(3), ...accuracies]);
    });
    expect(missing("figure3", moved)).toEqual([]);
  });

  it.each(["overfitting", "overfitting-large", "overfitting-mnist-short"])("shows the ends of %s", (name) => {
    const percent = ({ accuracy }: { accuracy: number }) => (100 * accuracy).toFixed(1);
    const lines = rows(name).map(({ title, runs }) => {
      const ends = runs.map((epochs) => epochs.at(-1)!.validation.map(percent).join(", "));
      return cells([`\`${name}\``, title, ...ends]);
    });
    expect(missing("overfitting", lines)).toEqual([]);
  });

  it("shows how the runs of results/runs end, and their worst epochs", () => {
    const percent = (share: number) => (100 * share).toFixed(1);
    const lines = [
      ["FGSM, full precision, seed 0", "cifar10-resnet18-plain-fgsm-seed0-4a15a598"],
      ["FGSM, full precision, seed 1", "cifar10-resnet18-plain-fgsm-seed1-5c1ea8c5"],
      ["FGSM at 12/255, full precision, seed 0", "cifar10-resnet18-plain-fgsm-seed0-ae343b13"],
      ["FGSM-RS, full precision, seed 0", "cifar10-resnet18-plain-fgsm-rs-seed0-83a88443"],
      ["N-FGSM, full precision, seed 0", "cifar10-resnet18-plain-n-fgsm-seed0-3f9a0823"],
      ["N-FGSM, full precision, seed 1", "cifar10-resnet18-plain-n-fgsm-seed1-d34ad309"],
      ["N-FGSM, full precision, seed 2", "cifar10-resnet18-plain-n-fgsm-seed2-0ff5dba1"],
      ["PGD-2, full precision, seed 0", "cifar10-resnet18-plain-pgd-seed0-b2c2a668"],
      ["SQA after every block, FGSM, seed 0", "cifar10-resnet18-sqa-fgsm-seed0-f91033ae"],
      ["SQA after every block, FGSM, seed 1", "cifar10-resnet18-sqa-fgsm-seed1-39d7ab25"],
      ["SQA after the first block, FGSM, seed 0", "cifar10-resnet18-sqa-fgsm-seed0-64f27c94"],
      ["SQA after the first block, FGSM, seed 1", "cifar10-resnet18-sqa-fgsm-seed1-27e2ec37"],
      ["SQA after the first block, N-FGSM, seed 0", "cifar10-resnet18-sqa-n-fgsm-seed0-5a290062"],
    ].map(([title, run]) => {
      const events = RunFolder.open(`results/runs/${run}`).events();
      const epochs = events.filter((event) => event.type === "epoch");
      const { clean, validation } = epochs.at(-1)!;
      const least = Math.min(...epochs.map((epoch) => epoch.validation[1]!.accuracy));
      return cells([title!, ...[clean, ...validation.map(({ accuracy }) => accuracy), least].map(percent)]);
    });
    expect(missing("collapse", [...lines, ...printed("collapse")])).toEqual([]);
  });

  it("shows the audits by the standard budget", () => {
    const names = ["fgsm", "short", "paper"].flatMap((run) => [`small-full-${run}`, `small-sqa-${run}`]);
    expect(missing("audit", [...names, "small-sqa-paper-seed2"].map(auditRow))).toEqual([]);
  });
});

describe("docs/reproduction/README.md", () => {
  /** End of a row: the paper's number, ours, and the beginning of the last cell. */
  const row = (paper: string | number, here: string) => `| ${paper} | ${here} | `;
  const means = (name: string, key: string, column: string) => {
    const { mean, deviation } = rowOf(name, key).measured[column]!;
    return spread(mean, deviation);
  };

  it("sums up Table 1", () => {
    const lines = Object.entries(expected.table1.rows).map(([key, { "pgd-0.2": paper }]) =>
      row(published(paper!), means("table1", key, "pgd-0.2")),
    );
    expect(missing("README", lines)).toEqual([]);
  });

  it("sums up Tables 2 to 4", () => {
    const [full, sqa] = rows("table2").map(({ measured }) => spread(measured["pgd-8"]!.mean));
    const { "resnet34-full": paperFull, "resnet34-sqa": paperSqa } = expected.table2.rows;
    const seconds = secondsOf("table4");
    const ratio = (key: keyof typeof expected.table4) =>
      row(
        (expected.table4[key] / expected.table4.fgsm).toFixed(2),
        (seconds(key) / seconds("fgsm")).toFixed(2),
      );
    const { measured } = rowOf("table3-mnist-audit", "sqa");
    const lines = [
      row(published(paperFull!["pgd-8"]!), full!),
      row(published(paperSqa!["pgd-8"]!), sqa!),
      `${row(expected.table3.rows.sqa["pgd-8"], spread(measured.pgd!.mean))}no: ` +
        `${spread(measured.autoattack!.mean)} under AutoAttack`,
      ratio("fgsm-sqa"),
      ratio("pgd-100"),
    ];
    expect(missing("README", lines)).toEqual([]);
  });

  it("sums up the figures", () => {
    const quantized = rows("figure1").slice(1);
    const lines = [
      row("–", quantized.map(({ measured }) => spread(measured["fgsm-0.3"]!.mean)).join(", ")),
      ...rows("figure2-mnist-short").map(({ neighbors }) => row("–", neighbors.cw.toFixed(1))),
      ...rows("figure3-mnist-short").map(({ moved }) => row("–", moved.toFixed(3))),
      ...rows("overfitting-mnist-short").map(({ runs }) => {
        const ends = runs.map((epochs) => (100 * epochs.at(-1)!.validation.at(-1)!.accuracy).toFixed(1));
        return row("–", ends.join(", "));
      }),
    ];
    expect(missing("README", lines)).toEqual([]);
  });
});
