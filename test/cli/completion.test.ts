import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { commands, main } from "../../src/cli/main.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-completion-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function completion(shell: string) {
  using captured = captureOutput();
  const code = await main(["completion", shell]);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

const has = (shell: string) => spawnSync(shell, ["-c", "true"]).status === 0;

describe("sqa completion", () => {
  it("completes commands, options and names in bash", async () => {
    const { out } = await completion("bash");
    const words = (...line: string[]) => {
      const typed = line.map((word) => `'${word}'`).join(" ");
      const script = `${out}\nCOMP_WORDS=(${typed}); COMP_CWORD=${line.length - 1}; _sqa; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { status, stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
      expect([status, stderr]).toEqual([0, ""]);
      return stdout.trim().split("\n");
    };
    expect(words("sqa", "ev")).toEqual(["evaluate"]);
    expect(words("sqa", "--import", "x.mjs", "tr")).toEqual(["train"]);
    expect(words("sqa", "train", "--pre")).toEqual(["--preset", "--prefix", "--precision"]);
    expect(words("sqa", "train", "--preset", "mnist-")).toEqual(["mnist-short", "mnist-fast"]);
    expect(words("sqa", "train", "--method", "n-")).toEqual(["n-fgsm"]);
    expect(words("sqa", "evaluate", "runs/x", "--attack", "autoa")).toEqual(["autoattack"]);
    expect(words("sqa", "list", "pre")).toEqual(["presets"]);
    expect(words("sqa", "data", "fetch", "ci")).toEqual(["cifar10"]);
    expect(words("sqa", "--quiet", "help", "au")).toEqual(["audit"]);
    // A file or folder: the shell's own completion takes over.
    expect(words("sqa", "evaluate", "runs/")).toEqual([""]);
  });

  it.each(["zsh", "fish"])("knows every command in %s, and is read by it", async (shell) => {
    const { out } = await completion(shell);
    for (const name of Object.keys(commands)) expect(out).toMatch(new RegExp(`\\b${name}\\b`));
    expect(out).toContain("mnist-short");
    if (!has(shell)) return;
    const file = join(folder, `sqa.${shell}`);
    writeFileSync(file, out);
    const { status, stderr } = spawnSync(shell, ["-n", file], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
  });

  it("says for which shells there is a script", async () => {
    expect(await completion("tcsh")).toEqual({
      code: 64,
      out: "",
      err: 'error: unknown shell "tcsh"; did you mean "bash"? known: bash, zsh, fish\nsee sqa completion --help\n',
    });
  });
});
