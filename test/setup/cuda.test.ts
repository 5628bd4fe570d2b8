import { chmodSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cudaBuild, findNvcc, isCudaLibtorch } from "../../scripts/setup/cuda.mjs";
import { temporaryFolder, torchPackage, writeFiles } from "./fake-libtorch.js";

test("a CUDA libtorch is told by its library", () => {
  const folder = writeFiles(temporaryFolder(), torchPackage("2.14.1+cu130"));
  expect(isCudaLibtorch(folder)).toBe(false);
  expect(cudaBuild(folder)).toBeNull();
  writeFiles(folder, { "lib/libtorch_cuda.so": "" });
  expect(isCudaLibtorch(folder)).toBe(true);
  expect(cudaBuild(folder)).toEqual({ nvcc: findNvcc() ?? null });
});

test("nvcc is looked for on PATH, then in the toolkit's folder", () => {
  const folder = writeFiles(temporaryFolder(), {
    "path/nvcc": "#!/bin/sh\n",
    "toolkit/bin/nvcc": "#!/bin/sh\n",
  });
  for (const name of ["path/nvcc", "toolkit/bin/nvcc"]) chmodSync(join(folder, name), 0o755);
  const [PATH, CUDA_HOME] = [join(folder, "path"), join(folder, "toolkit")];
  expect(findNvcc({ PATH, CUDA_HOME })).toBe(join(PATH, "nvcc"));
  expect(findNvcc({ PATH: "/nonexistent", CUDA_HOME })).toBe(join(CUDA_HOME, "bin", "nvcc"));
});
