import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const example = (name: string) => join(checkout, "examples", name);
const sqa = join(checkout, "bin", "sqa.mjs");
const folder = mkdtempSync(join(tmpdir(), "sqa-examples-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Output of a program in a folder of its own; throws with what it said where it failed. */
function outputOf(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`${words.join(" ")}: exit code ${status}\n${stdout}${stderr}`);
  return stdout;
}

const tsx = ["--import", import.meta.resolve("tsx")];
const limit = 300_000;

describe("the examples run as they stand, on few images", () => {
  it(
    "quick-start.ts trains, evaluates and audits",
    () => {
      const lines = outputOf(...tsx, example("quick-start.ts"), "20")
        .trim()
        .split("\n");
      expect(lines).toHaveLength(4);
      expect(lines[0]).toMatch(/^clean [01]/);
      expect(lines[1]).toMatch(/^fgsm [01]/);
      expect(lines[2]).toMatch(/^pgd [01]/);
      expect(lines[3]).toMatch(/^(no fault found|inconclusive|not robust|masked|invalid): /);
    },
    limit,
  );

  it(
    "own-model-and-data.ts trains and audits a network of its own",
    () => {
      const lines = outputOf(...tsx, example("own-model-and-data.ts"), "25")
        .trim()
        .split("\n");
      expect(lines.slice(0, 2).map((line) => line.split(" ")[0])).toEqual(["1", "2"]);
      expect(lines[2]).toMatch(/runs\/own-images-my-net-sqa-n-fgsm-seed0-[0-9a-f]{8}$/);
      expect(lines[3]).toMatch(/^(no fault found|inconclusive|not robust|masked|invalid): /);
    },
    limit,
  );
});

describe("what the examples register works at the command line", () => {
  const [attack, defense] = [example("own-attack.mjs"), example("own-defense.mjs")];
  let run = "";
  beforeAll(() => {
    const words = ["--defense", "bit-depth(bits=3)", "--limit", "64", "--epochs", "1"];
    const train = ["train", "--model", "small", "--images", "mnist", "--method", "fgsm(epsilon=0.3)"];
    run = outputOf(sqa, "--import", defense, ...train, ...words).trim();
  }, limit);

  it("own-attack.mjs is listed and evaluated", () => {
    expect(outputOf(sqa, "list", "attacks", "--import", attack)).toMatch(/random-sign +moves each pixel/);
    const imports = ["--import", attack, "--import", defense];
    const evaluate = ["evaluate", run, "--limit", "8", "--attack", "random-sign(epsilon=0.3)", "--json"];
    const { attacks } = JSON.parse(outputOf(sqa, ...imports, ...evaluate));
    expect(attacks).toMatchObject([{ attack: "random-sign" }]);
  });

  it("own-defense.mjs is trained with, and lends its surrogate", () => {
    const words = ["--limit", "8", "--surrogate", "full-depth", "--attack", "fgsm(epsilon=0.1)", "--json"];
    const { attacks } = JSON.parse(outputOf(sqa, "--import", defense, "evaluate", run, ...words));
    expect(attacks).toMatchObject([{ attack: "fgsm(epsilon=0.1)" }]);
  });
});
