// The kernels of each instruction set against each other, bit for bit: in programs of their own, since the
// choice is made once.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cpuFlags } from "../../src/engine/index.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-vector-kernels-"));
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const native = (name: string) => at(`../../native/${name}.cc`);
const flags = cpuFlags();
const hasAvx2 = flags.includes("avx2") && flags.includes("fma");

function compile(...words: readonly string[]): void {
  const options = ["-std=c++20", "-O1", "-ffp-contract=off", "-Wno-psabi", "-I", at("../../native")];
  const { status, stderr } = spawnSync("g++", [...options, ...words], { cwd: folder, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
}

/** Output of a program: the instruction set, then a hash a line. */
function hashes(program: string, capability?: string): { set: string; exact: string[]; fused: string[] } {
  const { ATEN_CPU_CAPABILITY: _, ...env } = process.env;
  if (capability !== undefined) env.ATEN_CPU_CAPABILITY = capability;
  const { status, stdout } = spawnSync(join(folder, program), { env, encoding: "utf8" });
  expect(status).toBe(0);
  const [set, ...lines] = stdout.trimEnd().split("\n");
  const fused = lines.filter((line) => line.startsWith("convolution"));
  expect(fused.length).toBeGreaterThan(50);
  const exact = lines.filter((line) => !line.startsWith("convolution"));
  expect(exact.length).toBeGreaterThan(50);
  return { set: set!, exact, fused };
}

beforeAll(() => {
  const common = ["quantize/counted_noise", "quantize/kernels", "vectors/instruction_set"];
  compile("-c", at("vector-kernels/main.cc"), ...common.map(native));
  const objects = ["main", ...common].map((name) => `${basename(name)}.o`);
  compile(...objects, ...["conv/kernels", "quantize/vector_kernels"].map(native), "-o", "kernels");
  if (hasAvx2) compile(...objects, at("vector-kernels/by-halves.cc"), "-o", "by-halves");
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the kernels of an instruction set", () => {
  test("are the widest that the processor has, and no wider than ATEN_CPU_CAPABILITY says", () => {
    const wide = ["avx512f", "avx512vl", "avx512bw", "avx512dq"].every((flag) => flags.includes(flag));
    const widest = hasAvx2 ? (wide ? "AVX512" : "AVX2") : "portable";
    expect(hashes("kernels").set).toBe(widest);
    expect(hashes("kernels", "avx512").set).toBe(widest);
    expect(hashes("kernels", "avx2").set).toBe(hasAvx2 ? "AVX2" : "portable");
    expect(hashes("kernels", "default").set).toBe("portable");
  });

  test("quantize and draw the same bits in each, and convolve the same bits in all that have a fused multiply-add", () => {
    const widest = hashes("kernels");
    expect(hashes("kernels", "default").exact).toEqual(widest.exact);
    const avx2 = hashes("kernels", "avx2");
    expect(avx2.exact).toEqual(widest.exact);
    if (hasAvx2) expect(avx2.fused).toEqual(widest.fused);
  });

  test.runIf(hasAvx2)("give the same bits with 16 lanes, the vectors being halves of AVX2's", () => {
    const { exact, fused } = hashes("kernels", "avx2");
    expect(hashes("by-halves")).toEqual({ set: expect.any(String), exact, fused });
  });
});
