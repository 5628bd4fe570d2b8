import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/main.js";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const readme = read("README.md");

describe("README", () => {
  it("shows the example that runs as a test", () => {
    expect(readme).toContain(read("examples/train-and-attack.ts").trim());
  });

  it.each(["results/twin.md", "results/table1.md", "results/table1-short.md"])("shows the committed %s", (file) => {
    const table = read(file)
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .join("\n");
    expect(table).not.toBe("");
    expect(readme).toContain(table);
  });

  it("shows the audits as they are committed", () => {
    const percent = (share: number) => (100 * share).toFixed(1);
    const audits = readdirSync(new URL("results/audit/", root)).map((name) => {
      const audit = JSON.parse(read(`results/audit/${name}/audit.json`));
      const [worst, low, high] = [audit.worst.accuracy, audit.worst.low, audit.worst.high];
      const interval = `${percent(worst)} [${(100 * low).toFixed(0)}, ${(100 * high).toFixed(0)}]`;
      const every = audit.worstEveryDraw === undefined ? "–" : percent(audit.worstEveryDraw.accuracy);
      const known = audit.trials.filter(({ shownTo }: { shownTo: string }) => shownTo.startsWith("known-draw:"));
      const inMean =
        known.reduce((sum: number, { accuracy }: { accuracy: number }) => sum + accuracy, 0) / known.length;
      const figures = [percent(audit.clean.accuracy), percent(audit.claim.accuracy), interval, every];
      return `| ${[...figures, known.length > 0 ? percent(inMean) : "–", audit.verdict].join(" | ")}`;
    });
    expect(audits.filter((cells) => !readme.includes(cells))).toEqual([]);
    const rows = readme.split("\n").filter((line) => /\| (masked|overstated|invalid|robust|not robust)/.test(line));
    expect(rows).toHaveLength(audits.length);
  });

  it("names commands and files that exist", () => {
    const named = [...readme.matchAll(/npx sqa (\w+)/g)].map(([, name]) => name!);
    expect(named.filter((name) => !(name in commands))).toEqual([]);
    const files = [...readme.matchAll(/(?:docs|examples|results)\/[\w.-]+\.\w+/g)].map(([path]) => path);
    expect(files.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
  });
});
