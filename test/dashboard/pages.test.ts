import { expect, it } from "vitest";
import { shownOffset } from "../../dashboard/data/pages.js";

it("goes back to the last page of a list that has become shorter", () => {
  expect([0, 50, 100].map((asked) => shownOffset(asked, 101, 50))).toEqual([0, 50, 100]);
  expect([0, 50, 100].map((asked) => shownOffset(asked, 100, 50))).toEqual([0, 50, 50]);
  expect([0, 50, 100].map((asked) => shownOffset(asked, 3, 50))).toEqual([0, 0, 0]);
  expect(shownOffset(50, 0, 50)).toBe(0);
});
