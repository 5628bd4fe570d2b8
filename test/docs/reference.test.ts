import { describe, expect, it } from "vitest";
import { referencePages } from "../../scripts/reference/pages.js";
import { commands } from "../../src/cli/main.js";
import { read, references } from "./pages.js";

const pages = await referencePages();

describe("docs/reference/", () => {
  it("has the pages that the code gives, and no others", () => {
    expect(references.map((path) => path.replace("docs/reference/", "")).sort()).toEqual(
      pages.map(([name]) => name).sort(),
    );
  });

  it.each(pages)("%s is what npm run docs:reference writes", (name, text) => {
    expect(read(`docs/reference/${name}`)).toBe(text);
  });

  it("has the same summary of a command as sqa --help", async () => {
    for (const [name, { summary, load }] of Object.entries(commands)) {
      const loaded = await load();
      if (!("commands" in loaded)) expect.soft(summary, name).toBe(loaded.summary);
    }
  });

  it("shows every option of a command and of an attack", () => {
    expect(read("docs/reference/commands.md")).toContain("--expect-clean <number>");
    expect(read("docs/reference/attacks.md")).toContain(
      "| `epsilon` | 0.3 | a number in (0, 1000000] | radius in the norm",
    );
  });
});
