import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { gpuNames } from "../../src/engine/index.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sqa-gpu-names-"));
  vi.stubEnv("PATH", `${folder}${delimiter}${process.env.PATH}`);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Puts a tool of NVIDIA's name first on the path. */
const toolSays = (script: string) =>
  writeFileSync(join(folder, "nvidia-smi"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

it("names every GPU, or the one of a number", () => {
  toolSays('case "$*" in *"-i 1"*) echo GPU B;; *) echo "GPU A"; echo "GPU B ";; esac');
  expect(gpuNames()).toEqual(["GPU A", "GPU B"]);
  expect(gpuNames(1)).toEqual(["GPU B"]);
});

it.each(["exit 9", "exit 0"])("names none where the tool says nothing: %s", (script) => {
  toolSays(script);
  expect(gpuNames()).toBeUndefined();
});
