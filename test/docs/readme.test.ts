import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { guides, read, root } from "./pages.js";
import { meanSentence, sentencesOf } from "./sentences.js";

const readme = read("README.md");
const results = read("results/README.md");

/** Lines of a page that are rows of its tables. */
const tableOf = (page: string) =>
  page
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .join("\n");

/** Cells of a table's rows. */
const rowsOf = (page: string) =>
  tableOf(page)
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()));

describe("README", () => {
  it("has at most 120 lines", () => {
    expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(120);
  });

  it("shows figures of the committed results/noise-free-mnist-short.md", () => {
    const rows = rowsOf(read("results/noise-free-mnist-short.md")).filter(([, model]) =>
      model!.startsWith("SMALL"),
    );
    const shown = rows.map(([, model, , clean, fgsm, , pgd, , square]) =>
      ["", model, clean, fgsm, pgd, square, ""].join(" | ").trim(),
    );
    expect(shown).toHaveLength(3);
    expect(shown.filter((row) => !readme.includes(row))).toEqual([]);
  });
});

describe("sentences", () => {
  it.each(["README.md", "docs/faq.md", "docs/platforms.md", ...guides])(
    "of %s have at most 18 words in the mean",
    (page) => {
      expect(meanSentence(read(page))).toBeLessThanOrEqual(18);
    },
  );

  it("are counted", () => {
    expect(sentencesOf("# No\n\nOne two. Three\nfour:\n\n    code\n\n- five\n- [six](x.md) seven")).toEqual([
      "One two.",
      "Three four:",
      "five",
      "six seven",
    ]);
    expect(meanSentence("One two. Three four five six.")).toBe(3);
  });
});

describe("results/README.md", () => {
  it.each(["noise-free-mnist-short.md", "table1.md", "table1-mnist-short.md"])(
    "shows the committed %s",
    (file) => {
      const table = tableOf(read(`results/${file}`));
      expect(table).not.toBe("");
      expect(results).toContain(table);
    },
  );

  it("names every stored table and figure, and tells how to make it again", () => {
    const stored = readdirSync(new URL("results/", root)).filter((file) => /\.(md|png)$/.test(file));
    const files = stored.filter((file) => file !== "README.md");
    const again = results.slice(results.indexOf("## How to make them again"));
    expect(files.filter((file) => !again.includes(`\`${file.replace(/\.\w+$/, "")}\``))).toEqual([]);
  });

  it("says which commit stored an audit that is older than the schema of audit.json", () => {
    const old = readdirSync(new URL("results/audit/", root)).filter(
      (name) => !("schema" in JSON.parse(read(`results/audit/${name}/audit.json`))),
    );
    const told = rowsOf(results).filter(
      ([, audits, commit]) => /`audit\//.test(audits ?? "") && /^[0-9a-f]{7}$/.test(commit ?? ""),
    );
    const named = told.flatMap(([, audits]) =>
      [...audits!.matchAll(/`audit\/([\w-]+)`/g)].map(([, name]) => name!),
    );
    expect(named.sort()).toEqual(old.sort());
  });

  it("shows the audits as they are committed", () => {
    const percent = (share: number) => (100 * share).toFixed(1);
    const audits = readdirSync(new URL("results/audit/", root)).map((name) => {
      const audit = JSON.parse(read(`results/audit/${name}/audit.json`));
      const [worst, low, high] = [audit.worst.accuracy, audit.worst.low, audit.worst.high];
      const interval = `${percent(worst)} [${(100 * low).toFixed(0)}, ${(100 * high).toFixed(0)}]`;
      const every = audit.worstEveryDraw === undefined ? "–" : percent(audit.worstEveryDraw.accuracy);
      const fixed = audit.trials.filter(({ shownTo }: { shownTo: string }) =>
        shownTo.startsWith("fixed-seed:"),
      );
      const inMean =
        fixed.reduce((sum: number, { accuracy }: { accuracy: number }) => sum + accuracy, 0) / fixed.length;
      const figures = [percent(audit.clean.accuracy), percent(audit.claim.accuracy), interval, every];
      return `| ${[...figures, fixed.length > 0 ? percent(inMean) : "–", audit.verdict.name].join(" | ")}`;
    });
    expect(audits.filter((cells) => !results.includes(cells))).toEqual([]);
    const rows = results
      .split("\n")
      .filter((line) => /\| (masked|overstated|invalid|claim holds|not robust)/.test(line));
    expect(rows).toHaveLength(audits.length);
  });
});
