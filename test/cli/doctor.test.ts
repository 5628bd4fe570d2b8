import { afterEach, describe, expect, it, vi } from "vitest";
import { disagreement } from "../../src/cli/commands/doctor/device-check.js";
import { cudaFinding, type Finding } from "../../src/cli/commands/doctor/machine.js";
import { main } from "../../src/cli/main.js";
import { versions } from "../../src/engine/index.js";
import { captureOutput } from "./captured-output.js";

async function doctor(...words: string[]) {
  using captured = captureOutput();
  const code = await main(["doctor", ...words]);
  return { code, out: captured.stdout.text };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("sqa doctor", () => {
  it("names libtorch and where it came from, the processor, and the data sets", async () => {
    const { code, out } = await doctor();
    expect(code).toBe(0);
    expect(out).toContain(versions().libtorch);
    for (const name of [
      "node",
      "libtorch",
      "cpuCapability",
      "kernels",
      "threads",
      "bf16",
      "cuda",
      "g++",
      "mnist",
    ]) {
      expect(out).toContain(`  ${name} `);
    }
    expect(out).toMatch(/nothing that is needed is missing\n$/);
  });

  it("prints JSON", async () => {
    const { ok, ...findings } = JSON.parse((await doctor("--json")).out) as { ok: boolean } & Record<
      string,
      Finding
    >;
    expect(ok).toBe(true);
    expect(findings.libtorch).toMatchObject({
      needed: true,
      value: expect.stringContaining(versions().libtorch),
    });
    expect(findings["fashion-mnist"]).toMatchObject({ needed: false });
  });

  it("says that compilers are missing, which a built addon does not need", async () => {
    vi.stubEnv("PATH", "/nonexistent");
    const { code, out } = await doctor();
    expect(code).toBe(0);
    expect(out).toMatch(/^absent +g\+\+ +not found$/m);
    expect(out).toContain("g++: builds the addon; run apt-get install -y g++");
  });
});

describe("CUDA", () => {
  it("is told by how the addon was built", () => {
    expect(cudaFinding({ cuda: "none", cudaDevices: 0 }).value).toBe("no: this libtorch is built without it");
    expect(cudaFinding({ cuda: "kernels", cudaDevices: 0 }).value).toBe("no devices");
    const compared = (result: string | undefined) =>
      cudaFinding({ cuda: "kernels", cudaDevices: 1 }, () => result);
    expect(compared(undefined).value).toBe("1 device; SQA and noise are the CPU's to the bit");
    expect(compared("SQA differs").problem).toBe("SQA differs: do not use this device");
    const { value, needed, problem } = cudaFinding({ cuda: "libtorch", cudaDevices: 2 });
    expect([value, needed]).toEqual(["2 devices; no kernels of our own", false]);
    expect(problem).toContain("put nvcc on PATH and run npm run setup");
  });

  it("is compared with the CPU by a check that the CPU itself passes", () => {
    expect(disagreement("cpu")).toBeUndefined();
  });
});
