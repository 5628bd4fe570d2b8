import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { SqaProcess } from "./sqa-process.js";

const top = mkdtempSync(join(tmpdir(), "sqa-dashboard-command-"));
const runs = join(top, "runs");
// The secret of a user is not that of a test.
process.env.XDG_STATE_HOME = join(top, "state");
afterAll(() => {
  delete process.env.XDG_STATE_HOME;
  rmSync(top, { recursive: true });
});

async function addressOf(sqa: SqaProcess): Promise<URL> {
  const end = Date.now() + 60_000;
  while (!sqa.stdout.includes("\n")) {
    if (!sqa.running || Date.now() > end) throw new Error(sqa.stderr);
    await new Promise((done) => setTimeout(done, 20));
  }
  return new URL(sqa.stdout.trim());
}

describe("sqa dashboard", () => {
  it("prints an address that opens it, and ends by Ctrl-C", async () => {
    const sqa = new SqaProcess(["dashboard", "--runs", runs, "--port", "0"]);
    const address = await addressOf(sqa);
    expect(address.hostname).toBe("127.0.0.1");
    expect(existsSync(runs)).toBe(true);
    const opened = await fetch(address, { redirect: "manual" });
    expect(opened.status).toBe(303);
    const Cookie = opened.headers.get("set-cookie")!.split(";")[0]!;
    const page = await fetch(new URL("/", address), { headers: { Cookie } });
    expect(await page.text()).toContain('<div id="app">');
    const list = await fetch(new URL("/api/runs", address), { headers: { Cookie } });
    expect(await list.json()).toEqual({ runs: [], matching: 0, total: 0 });
    // A page that listens does not hold it.
    const stream = await fetch(new URL("/api/stream", address), { headers: { Cookie } });
    sqa.kill("SIGINT");
    expect(await sqa.ended()).toBe(75);
    await stream.body!.cancel().catch(() => {});
    await expect(fetch(address)).rejects.toThrow();
  });

  it.each(["runs", "models", "results"])("says that a file is no folder of %s", async (what) => {
    const file = join(top, `file-for-${what}`);
    writeFileSync(file, "");
    const folders = what === "runs" ? [] : ["--runs", runs];
    const sqa = new SqaProcess(["dashboard", ...folders, `--${what}`, file, "--port", "0"]);
    expect(await sqa.ended()).toBe(1);
    expect(sqa.stderr).toContain(`${file} is no folder`);
  });

  it("says that a port is taken", async () => {
    const first = new SqaProcess(["dashboard", "--runs", runs, "--port", "0"]);
    const { port } = await addressOf(first);
    const second = new SqaProcess(["dashboard", "--runs", runs, "--port", port]);
    expect(await second.ended()).toBe(1);
    expect(second.stderr).toContain(`port ${port} is taken: give another, or 0`);
    first.kill("SIGTERM");
    await first.ended();
  });
});
