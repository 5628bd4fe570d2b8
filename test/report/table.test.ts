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
    expect(renderTable(table, "terminal", { heading: (text) => `<${text}>` })).toMatch(/^<attack .*measured>\n/);
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
    expect(renderTable({ columns: ["n"], rows: [["1"]], align: ["left"] }, "markdown")).toContain("| --- |\n| 1   |");
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
