import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { SqaProcess } from "../cli/sqa-process.js";
import { SharedAudit } from "./shared-audit.js";

const parent = mkdtempSync(join(tmpdir(), "sqa-jobs-"));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

/** Kills the first of a process's own: its jobs. */
function killJob(pid: number): void {
  const [job] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  process.kill(Number(job), "SIGKILL");
}

const attacks = [300, 301, 302, 303].map((steps) => `pgd(epsilon=0.02, steps=${steps})`);

/** Words of an evaluation of the images of an audit. */
function evaluationOf({ words }: SharedAudit): string[] {
  const images = words.slice(0, words.indexOf("--budget"));
  const asked = attacks.flatMap((attack) => ["--attack", attack]);
  return ["evaluate", ...images, ...asked, "--batch-size", "2", "--json"];
}

const untimed = (text: string) => text.replaceAll(/"seconds":[^,}]*/g, "");

describe("work by --jobs", { timeout: 1_200_000 }, () => {
  it.each([
    ["audit", (audit: SharedAudit) => ["audit", ...audit.words]],
    ["evaluate", (audit: SharedAudit) => [...evaluationOf(audit), "--out", "shards"]],
  ] as const)(
    "of sqa %s goes on after Ctrl-C and after a killed job, and does nothing twice",
    async (name, wordsOf) => {
      const folder = join(parent, name);
      mkdirSync(folder);
      const audit = new SharedAudit(folder);
      const words = [...wordsOf(audit), "--jobs", "2", "--threads", "1"];
      const first = new Map<string, number>();
      /** Disturbs the work when so many more batches are finished, and lets it end. */
      const disturbed = async (act: (child: SqaProcess) => void) => {
        const before = audit.records().size;
        const child = new SqaProcess(words, { cwd: folder });
        while (audit.records().size < before + 3 && child.running) await sleep(10);
        act(child);
        expect(await child.ended(), child.stderr).toBe(75);
        for (const [file, number] of audit.records()) {
          expect(first.get(file) ?? number, file).toBe(number);
          first.set(file, number);
        }
        return child.stderr;
      };
      const stopped = await disturbed((child) => child.kill("SIGINT"));
      expect(stopped).toContain("stopped: the same command resumes the work");
      const killed = await disturbed(({ pid }) => killJob(pid));
      expect(killed).toMatch(/the process of job [12] of 2 ended by SIGKILL/);
      expect(killed).toContain("what is finished is kept: the same command does the rest");
      const last = new SqaProcess(words, { cwd: folder });
      expect(await last.ended(), last.stderr).toBe(0);
      const records = audit.records();
      if (name === "audit") {
        for (const [file, number] of first) expect(records.get(file), file).toBe(number);
        expect(records.size % 4).toBe(0);
        expect(first.size).toBeLessThan(records.size);
        return;
      }
      expect(records.size).toBe(0);
      const alone = new SqaProcess([...evaluationOf(audit), "--threads", "1"], { cwd: folder });
      expect(await alone.ended(), alone.stderr).toBe(0);
      expect(untimed(last.stdout)).toBe(untimed(alone.stdout));
    },
  );
});
