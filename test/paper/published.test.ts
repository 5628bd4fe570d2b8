import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { expected, type Published } from "../../src/paper/index.js";

/** The paper's numbers as they were read from its pages, apart from `expected`. */
const published = JSON.parse(readFileSync(new URL("./published.json", import.meta.url), "utf8")) as Record<
  string,
  Record<string, unknown>
>;

/**
 * Deviation that published.json has wrong. The paper's text, Table 2, has 41.52 ± 0.41 for SQA on ResNet-101
 * under C&W at 8/255; the text wins.
 */
const corrected = { row: "ResNet-101 SQA sd", column: "C&W 8/255", inFile: 0.49, inText: 0.41 } as const;

/** Key of a column in `expected`: "FGSM 0.2" is fgsm-0.2, "C&W 4/255" is cw-4. */
function columnKey(title: string): string {
  return title
    .toLowerCase()
    .replace("&", "")
    .replace(/\/255$/, "")
    .replace(" ", "-");
}

/** Key of a row in `expected`: "ResNet-34 SQA" is resnet34-sqa. */
function rowKey(title: string): string {
  const [model, kind] = title.split(" ");
  return `${model!.toLowerCase().replace("-", "")}-${kind === "SQA" ? "sqa" : "full"}`;
}

describe.each(["table1", "table2"] as const)("%s", (name) => {
  const { columns, data: _, ...rows } = published[name] as { columns: string[]; data: string };
  const accuracies = rows as Record<string, number[]>;
  const titles = Object.keys(accuracies).filter((title) => !title.endsWith(" sd"));

  it.each(titles)("has the paper's numbers and deviations of %s", (title) => {
    const deviations = accuracies[`${title} sd`];
    const wanted = columns.map((column, i): [string, Published] => {
      const mean = accuracies[title]![i]!;
      if (deviations === undefined) return [columnKey(column), mean];
      const isWrong = `${title} sd` === corrected.row && column === corrected.column;
      if (isWrong) expect(deviations[i]).toBe(corrected.inFile);
      return [columnKey(column), [mean, isWrong ? corrected.inText : deviations[i]!]];
    });
    expect(expected[name].rows[rowKey(title)]).toEqual(Object.fromEntries(wanted));
  });

  it("has no other rows", () => {
    expect(Object.keys(expected[name].rows).sort()).toEqual(titles.map(rowKey).sort());
  });
});

it("has the paper's numbers of Table 3", () => {
  const { columns: _, data: __, ...rows } = published.table3!;
  const keys: Readonly<Record<string, string>> = {
    SAP: "sap",
    PixelDefend: "pixel-defend",
    Thermometer: "thermometer",
    "Adversarial training (Madry et al.)": "pgd-training",
    SQA: "sqa",
  };
  const found = Object.entries(expected.table3.rows).map(([key, { title: ___, ...numbers }]) => [
    key,
    numbers,
  ]);
  const wanted = Object.entries(rows).map(([title, row]) => {
    const [model, pgd, cw] = row as [string, number | null, number | null];
    return [
      keys[title],
      { model, ...(pgd === null ? {} : { "pgd-8": pgd }), ...(cw === null ? {} : { "cw-8": cw }) },
    ];
  });
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wanted));
});

it("has the paper's seconds of Table 4", () => {
  const { data: _, ...rows } = published.table4!;
  expect(Object.values(expected.table4)).toEqual(Object.values(rows));
});
