import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.js";
import { tinyCnn } from "../attacks/tiny-networks.js";
import { audited, goldenSplit } from "../evaluation/audit/tiny-audit.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-report-command-"));
const audit = join(folder, "audit.json");
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(async () => {
  await (await audited(tinyCnn, goldenSplit(tinyCnn))).write(folder);
}, 300_000);

async function sqaReport(...words: string[]) {
  using captured = captureOutput();
  const code = await main(["report", ...words]);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

describe("sqa report", () => {
  it("prints a report in another form, or writes it into a new file", async () => {
    const printed = await sqaReport(folder, "--to", "sarif");
    expect(printed.code, printed.err).toBe(0);
    expect(JSON.parse(printed.out).version).toBe("2.1.0");
    const file = join(folder, "audit.xml");
    const words = [audit, "--to", "junit", "--out", file];
    expect(await sqaReport(...words)).toMatchObject({ code: 0, out: "" });
    expect(readFileSync(file, "utf8")).toMatch(/^<\?xml/);
    writeFileSync(file, "mine");
    const refused = await sqaReport(...words);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("--force replaces it") });
    expect((await sqaReport(...words, "--force")).code).toBe(0);
  });

  it("warns of files that were edited", async () => {
    const [text, sums] = [audit, join(folder, "SHA256SUMS")].map((file) => readFileSync(file, "utf8"));
    expect((await sqaReport(folder, "--to", "text")).err).toBe("");
    writeFileSync(audit, text!.replace(/"images": \d+/, '"images": 10000'));
    for (const path of [folder, audit])
      expect(await sqaReport(path, "--to", "text")).toMatchObject({
        code: 0,
        err: "warning: audit.json is not the one that was written: it has another SHA-256 than in SHA256SUMS\n",
      });
    writeFileSync(join(folder, "SHA256SUMS"), `no sums\n${"0".repeat(64)}  ../audit.json\n`);
    expect((await sqaReport(folder, "--to", "text")).err).toBe("");
    writeFileSync(audit, text!);
    writeFileSync(join(folder, "SHA256SUMS"), sums!);
  });

  it.each([
    [["nowhere.json", "--to", "html"], "nowhere.json: ", 66],
    [["AUDIT", "--to", "pdf"], "--to cannot be", 64],
    [["AUDIT"], "--to", 64],
    [[], "missing audit: audit.json, or the folder that holds it", 64],
  ] as const)("refuses %j", async (words, message, code) => {
    const result = await sqaReport(...words.map((word) => (word === "AUDIT" ? audit : word)));
    expect(result.err).toContain(message);
    expect([result.code, result.out]).toEqual([code, ""]);
  });
});
