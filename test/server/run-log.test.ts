import { expect, it } from "vitest";
import { cursorOf, cursorText, start } from "../../src/server/runs/run-log.js";

it("knows its place again in files of any number", () => {
  for (const file of [1, 2 ** 53 - 1, 2 ** 57 + 2 ** 20, 2 ** 64]) {
    const cursor = { events: { file, bytes: 120 }, steps: { file: file + 1, bytes: 0 } };
    expect(cursorOf(cursorText(cursor))).toEqual(cursor);
  }
  for (const text of [undefined, "", "1-2-3", "1-2-3-x", "1.5-2-3-4", "Infinity-2-3-4"])
    expect(cursorOf(text)).toEqual(start);
});
