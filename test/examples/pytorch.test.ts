import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const sqa = join(checkout, "bin", "sqa.mjs");
const folder = mkdtempSync(join(tmpdir(), "sqa-pytorch-"));
afterAll(() => rmSync(folder, { recursive: true }));

function run(...words: string[]) {
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache") };
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    cwd: folder,
    encoding: "utf8",
    env,
  });
  if (status === null || status > 2) throw new Error(`${words.join(" ")}: ${status}\n${stdout}${stderr}`);
  return { stdout, stderr };
}

/** Models and images that examples/pytorch/make_models.py wrote, by torch 2.13.0. */
beforeAll(() => {
  const archive = join(checkout, "test", "fixtures", "pytorch", "digits.tgz");
  const { status, stderr } = spawnSync("tar", ["-xzf", archive, "-C", folder], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
});

interface Audit {
  readonly verdict: { readonly name: string };
  readonly evidence: { readonly data: { readonly decoding: string } };
}

/** Audits one of the models on the photos, and returns its report as text and as JSON. */
function audit(model: string, limit: number, ...more: string[]) {
  const given = ["--images", "photos", "--epsilon", "4/255", "--budget", "quick", "--limit", String(limit)];
  const out = join(folder, `audit-${model}${more.join("")}`);
  const { stdout } = run(sqa, "audit", `${model}.pt2`, ...given, "--jobs", "1", "--out", out, ...more);
  return { text: stdout, ...(JSON.parse(readFileSync(join(out, "audit.json"), "utf8")) as Audit) };
}

describe("models and images of plain PyTorch", { timeout: 900_000 }, () => {
  test("are correct on the same images as there: clean, under FGSM and under PGD of 20 steps", () => {
    const compare = join(checkout, "examples", "pytorch", "compare.ts");
    const { stdout } = run("--import", import.meta.resolve("tsx"), compare, folder);
    const lines = stdout.trim().split("\n");
    expect(lines.filter((line) => line.endsWith("80 as in PyTorch"))).toEqual([
      "plain clean: 73 of 80 correct, 80 as in PyTorch",
      "plain fgsm: 22 of 80 correct, 80 as in PyTorch",
      "plain pgd: 8 of 80 correct, 80 as in PyTorch",
      "quantized clean: 74 of 80 correct, 80 as in PyTorch",
      "quantized fgsm: 20 of 80 correct, 80 as in PyTorch",
      "quantized pgd: 7 of 80 correct, 80 as in PyTorch",
    ]);
    expect(stdout).toContain("quantized: gradients blocked by aten.round");
  });

  test("a quantized model with a lost straight-through backward is broken, not robust", () => {
    const { verdict, text, evidence } = audit("quantized", 40);
    expect(evidence.data.decoding).toMatch(/^before the attacks, by .*sharp/);
    expect(verdict.name).toBe("not robust");
    expect(text).toContain("gradients blocked by aten.round (round_1) pass as if by the identity (BPDA)");
  });

  test("and masked where its exact gradients are asked for", () => {
    const { verdict, text } = audit("quantized", 40, "--exact-gradients");
    expect(verdict.name).toBe("masked");
    expect(text).toContain("the gradient at images is zero in every pixel");
  });

  test("a model that draws noise is judged by fresh draws, by their mean and with its noise known", () => {
    const { text } = audit("noisy", 20);
    expect(text).toContain("it is random: aten.randn_like (randn_like)");
    expect(text).toMatch(/worst case, correct in each of \d+ draws/);
    expect(text).toContain("fixed seed: AutoAttack with known noise");
    expect(text).toMatch(/\w+ +expectation: Do gradients averaged over draws find no more than single/);
  });
});
