import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder that is deleted when the test that asks for it has ended. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "sqa-setup-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files below a folder; the keys are their paths. */
export function writeFiles(folder: string, files: Record<string, string>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Files of a torch package of Python that setup looks at. */
export function torchPackage(version: string): Record<string, string> {
  return {
    "lib/libtorch.so": "",
    "include/torch/csrc/api/include/torch/version.h": "#include <torch/headeronly/version.h>\n",
    "share/cmake/Torch/TorchConfig.cmake": "",
    "version.py": `from typing import Optional\n\n__version__ = '${version}'\ndebug = False\n`,
  };
}

/** Files of Debian's libtorch-dev below /usr. */
export function debianPrefix(major: number, minor: number, patch: number): Record<string, string> {
  return {
    "lib/x86_64-linux-gnu/libtorch.so": "",
    "include/torch/csrc/api/include/torch/version.h": `#define TORCH_VERSION_MAJOR ${major}\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH ${patch}\n`,
  };
}
