import { describe, expect, it } from "vitest";
import { renderBlocks } from "../../src/report/blocks.js";

const table = {
  columns: ["model", "", "clean", "FGSM", "PGD, 10 restarts"],
  rows: [
    ["SMALL", "paper", "99.40", "98.86", "0.50"],
    ["", "measured", "98.00", "97.00", "1.00"],
    ["LARGE", "measured", "99.00", "98.00", "2.00"],
  ],
};

describe("a table in blocks", () => {
  it("is one block where it fits", () => {
    expect(renderBlocks(table, 2, { width: 120 })).toBe(renderBlocks(table, 2));
    expect(renderBlocks(table, 2).split("\n")[0]).toBe("model            clean   FGSM  PGD, 10 restarts");
  });

  it("goes on below with its other columns where it is wider, and leaves no figure out", () => {
    const text = renderBlocks(table, 2, { width: 26 });
    expect(text).toMatchInlineSnapshot(`
      "model     clean   FGSM
      ──────────────────────
      SMALL
      paper     99.40  98.86
      measured  98.00  97.00
      LARGE
      measured  99.00  98.00

      model     PGD, 10 restarts
      ──────────────────────────
      SMALL
      paper                 0.50
      measured              1.00
      LARGE
      measured              2.00"
    `);
    expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(26);
  });

  it("wraps titles where a single column is too wide", () => {
    const lines = renderBlocks(table, 2, { width: 22 }).split("\n");
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(22);
    expect(lines.join(" ").match(/\d+\.\d\d/g)).toHaveLength(9);
  });

  it("keeps a table without names of rows together as far as it fits", () => {
    const plain = { columns: ["clean", "FGSM"], rows: [[1, 2]] };
    expect(renderBlocks(plain, 0, { width: 5 })).toBe("clean\n─────\n    1\n\nFGSM\n────\n   2");
  });
});
