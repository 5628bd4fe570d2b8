import { describe, expect, it } from "vitest";
import { interval, percent, renderTable, visibleWidth } from "../../src/report/table.js";

const table = {
  columns: ["attack", "paper", "measured"],
  rows: [
    ["clean", "96.61", "97.40 ± 0.10"],
    ["PGD | 0.2", "-", 7.4],
  ],
};

describe("renderTable", () => {
  it("writes Markdown with numbers to the right and pipes escaped", () => {
    expect(renderTable(table, "markdown")).toBe(
      [
        "| attack     | paper |     measured |",
        "| ---------- | ----: | -----------: |",
        "| clean      | 96.61 | 97.40 ± 0.10 |",
        "| PGD \\| 0.2 |     - |          7.4 |",
      ].join("\n"),
    );
  });

  it("writes the same columns for a terminal, styled only when asked", () => {
    expect(renderTable(table, "terminal")).toBe(
      [
        "attack     paper      measured",
        "──────────────────────────────",
        "clean      96.61  97.40 ± 0.10",
        "PGD | 0.2      -           7.4",
      ].join("\n"),
    );
    expect(renderTable(table, "terminal", { heading: (text) => `<${text}>` })).toMatch(
      /^<attack .*measured>\n/,
    );
  });

  it("aligns by what can be seen", () => {
    const bold = "\u001b[1m12\u001b[22m";
    const text = renderTable(
      {
        columns: ["a", "网络"],
        rows: [
          [bold, "é"],
          ["1234", "e\u0301"],
        ],
      },
      "terminal",
    );
    expect(text.split("\n").slice(2)).toEqual([`  ${bold}  é`, "1234  e\u0301"]);
    expect(visibleWidth("网络")).toBe(4);
    expect(renderTable({ columns: ["x"], rows: [[bold]] }, "markdown")).not.toContain("\u001b");
  });

  it("keeps to the alignment given", () => {
    expect(renderTable({ columns: ["n"], rows: [["1"]], align: ["left"] }, "markdown")).toContain(
      "| --- |\n| 1   |",
    );
  });

  it("leaves droppable columns out where a terminal is narrow, the first first", () => {
    const wide = {
      columns: ["attack", "accuracy %", "forward", "seconds"],
      rows: [["pgd(epsilon=0.3, steps=40)", "81.20", 41, "12.3"]],
      droppable: ["forward", "seconds"],
    };
    const columnsAt = (width: number) =>
      renderTable(wide, "terminal", { width }).split("\n")[0]!.trim().split(/ {2,}/);
    expect(columnsAt(56)).toEqual(["attack", "accuracy %", "forward", "seconds"]);
    expect(columnsAt(55)).toEqual(["attack", "accuracy %", "seconds"]);
    expect(columnsAt(46)).toEqual(["attack", "accuracy %"]);
    expect(renderTable(wide, "markdown")).toContain("forward");
    // Long text is wrapped first, as long as it stays readable.
    const long = { ...wide, rows: [[`pgd(${"epsilon=0.3, ".repeat(8)}steps=40)`, "81.20", 41, "12.3"]] };
    const [titles, , ...rows] = renderTable(long, "terminal", { width: 80 }).split("\n");
    expect([titles, rows.length]).toEqual([expect.stringContaining("forward"), 3]);
  });

  it.each([80, 120])("fits %i columns by wrapping at words, never within a path or a figure", (width) => {
    const path = "runs/mnist-small-sqa-fgsm-seed0-6b05f408";
    const meaning = "a sentence of so many words that it does not fit a line of a terminal ".repeat(2).trim();
    const sentences = {
      columns: ["run", "95 % interval", "meaning"],
      rows: [[path, "[95.50, 98.10]", meaning]],
    };
    const lines = renderTable(sentences, "terminal", { width }).split("\n");
    for (const line of lines) expect(visibleWidth(line)).toBeLessThanOrEqual(width);
    expect(lines.some((line) => line.startsWith(path))).toBe(true);
    expect(lines.some((line) => line.includes("[95.50, 98.10]"))).toBe(true);
    const words = lines.slice(2).flatMap((line) => line.slice(58).trim().split(/\s+/));
    expect(words.filter((word) => word !== "").join(" ")).toBe(meaning);
  });

  it("overflows where words are wider than the terminal", () => {
    const text = renderTable({ columns: ["folder"], rows: [["a/long/path/of/a/run and more"]] }, "terminal", {
      width: 9,
    });
    expect(text).toBe(["folder", "─".repeat(20), "a/long/path/of/a/run", "and more"].join("\n"));
  });

  it("refuses rows of the wrong length", () => {
    expect(() => renderTable({ columns: ["a", "b"], rows: [["1"]] }, "markdown")).toThrow(
      "row 1 must have 2 cells, given 1: 1",
    );
    expect(() => renderTable({ columns: [], rows: [] }, "markdown")).toThrow("at least one column");
  });
});

describe("percent and interval", () => {
  it("write shares as percent", () => {
    expect([percent(0.9661), percent(0.5, 0), percent(Number.NaN), percent(undefined)]).toEqual([
      "96.61",
      "50",
      "-",
      "-",
    ]);
    expect(interval(0.955, 0.981, 1)).toBe("[95.5, 98.1]");
  });
});
