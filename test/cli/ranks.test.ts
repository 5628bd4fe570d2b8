import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { main } from "../../src/cli/main.js";
import { digits } from "../training/digits-folder.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-launched-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

const words = [
  ..."train --model small --method standard --epochs 1 --batch-size 8 --no-validation-attack".split(" "),
  ...["--images", String(digits(folder, { train: 16, test: 10 })), "--runs", join(folder, "runs")],
];

/** Exit code of a training run, and what it said. */
async function trained(environment: Record<string, string>, ...more: string[]) {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  using captured = captureOutput();
  const code = await main([...words, ...more]);
  return [code, captured.stderr.text] as const;
}

const torchrun = { RANK: "1", WORLD_SIZE: "2" };
const mpirun = { OMPI_COMM_WORLD_RANK: "0", OMPI_COMM_WORLD_SIZE: "2" };

test.each([
  [torchrun, [], "RANK=1 WORLD_SIZE=2 MASTER_ADDR= MASTER_PORT=: torchrun gives all of them"],
  [{ ...torchrun, ...mpirun }, [], "two things, torchrun rank 1 of 2 and mpirun rank 0 of 2"],
  [{ WORLD_SIZE: "2" }, [], "RANK= WORLD_SIZE=2: torchrun gives both"],
  [mpirun, ["--device", "cuda:0"], "device cuda:0: each of 2 ranks takes one of its own"],
  [{ PMI_RANK: "0", PMI_SIZE: "2" }, [], "PMI started this as rank 0 of 2"],
] as const)("a launcher that ranks cannot follow is refused: %j %j", async (environment, more, message) => {
  expect(await trained(environment, ...more)).toEqual([64, expect.stringContaining(message)]);
});

test("a process trains by itself with --standalone, whatever started it", async () => {
  const [code, text] = await trained({ ...torchrun, ...mpirun }, "--standalone");
  expect([code, text]).toEqual([0, expect.stringContaining("trained in")]);
  expect(text).not.toContain("ranks");
});
