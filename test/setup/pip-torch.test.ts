import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { pipInstall } from "../../scripts/setup/pip-torch.mjs";
import { SetupError } from "../../scripts/setup/progress.mjs";
import { zipBytes } from "../files/torch-files.js";
import { temporaryFolder } from "./fake-libtorch.js";

const hasPip = spawnSync("python3", ["-m", "pip", "--version"]).status === 0;

/** A wheel that has nothing but a version, as pip takes it. */
function wheel(version: string): Buffer {
  const info = `torch-${version}.dist-info`;
  return zipBytes([
    { name: "torch/version.py", data: `__version__ = "${version}"\n` },
    { name: `${info}/METADATA`, data: `Metadata-Version: 2.1\nName: torch\nVersion: ${version}\n` },
    {
      name: `${info}/WHEEL`,
      data: "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-manylinux_2_28_x86_64\n",
    },
    {
      name: `${info}/RECORD`,
      data: `torch/version.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/RECORD,,\n`,
    },
  ]);
}

const pinned = { version: "2.13.0+cpu", python: "3.11", abi: "cp311", platform: "manylinux_2_28_x86_64" };
const bytes = wheel(pinned.version);
const sha256 = createHash("sha256").update(bytes).digest("hex");
let said = "";
let index = "";

beforeEach(() => {
  said = "";
  index = temporaryFolder();
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += text;
    return true;
  });
  // An index that is this folder alone.
  for (const [name, value] of Object.entries({
    PIP_NO_INDEX: "1",
    PIP_FIND_LINKS: index,
    PIP_CONFIG_FILE: "/dev/null",
  })) {
    vi.stubEnv(name, value);
  }
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const publish = (name: string, content = bytes) => writeFileSync(join(index, name), content);
const install = () => {
  const folder = join(temporaryFolder(), "torch-by-pip");
  mkdirSync(folder);
  return { done: pipInstall(folder, { ...pinned, sha256 }), folder };
};

describe.skipIf(!hasPip)("torch by pip", () => {
  test("is the file of the known hash where the index has it, whatever this machine's Python", () => {
    publish("torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl");
    const { done, folder } = install();
    expect(done).toBe(true);
    expect(existsSync(join(folder, "torch", "version.py"))).toBe(true);
    expect(said).toBe("setup: libtorch: torch 2.13.0+cpu has the known SHA-256\n");
  });

  test("is refused where that file has other content", () => {
    publish("torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl", wheel("2.13.0+cpu").fill(0x20, 40, 44));
    expect(install).toThrow(SetupError);
    expect(install).toThrow(
      /pip's index gives another torch 2\.13\.0\+cpu than the file of SHA-256 [0-9a-f]{64}/,
    );
  });

  test("is another build where the index has no file of that name, which is said to be unchecked", () => {
    publish("torch-2.13.0-py3-none-any.whl", wheel("2.13.0"));
    expect(install().done).toBe(true);
    expect(said).toContain("setup: libtorch: not checked: pip's index lacks the file whose SHA-256 is known");
  });

  test("is not there where the index has none, and pip's last words are shown", () => {
    expect(install().done).toBe(false);
    expect(said).toMatch(/^setup: libtorch: pip failed: ERROR: .*torch==2\.13\.0/m);
  });
});
