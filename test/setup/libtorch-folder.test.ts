import { join } from "node:path";
import { expect, test } from "vitest";
import { inspectLibtorch } from "../../scripts/setup/libtorch-folder.mjs";
import { debianPrefix, temporaryFolder, torchPackage, writeFiles } from "./fake-libtorch.js";

test("a torch package tells its version with its local part", () => {
  const folder = writeFiles(temporaryFolder(), torchPackage("2.13.0+cpu"));
  expect(inspectLibtorch(folder)).toEqual({ path: folder, version: "2.13.0+cpu" });
});

test("a folder with the torch package in it leads to the package", () => {
  const folder = temporaryFolder();
  writeFiles(join(folder, "torch"), torchPackage("2.1.0"));
  expect(inspectLibtorch(folder)).toEqual({ path: join(folder, "torch"), version: "2.1.0" });
});

test("an unpacked libtorch tells its version in build-version", () => {
  const { "version.py": _, ...files } = torchPackage("");
  const folder = writeFiles(temporaryFolder(), { ...files, "build-version": "2.4.1+cpu\n" });
  expect(inspectLibtorch(folder)).toMatchObject({ version: "2.4.1+cpu" });
});

test("a system prefix is one of Debian's", () => {
  const folder = writeFiles(temporaryFolder(), debianPrefix(1, 13, 1));
  expect(inspectLibtorch(folder)).toEqual({ path: folder, version: "1.13.1" });
});

test.each([
  ["1.12.1", false],
  ["1.13.0", true],
  ["2.0.0", true],
  ["0.99.0", false],
])("version %s is accepted: %s", (version, accepted) => {
  const found = inspectLibtorch(writeFiles(temporaryFolder(), torchPackage(version)));
  expect("version" in found).toBe(accepted);
  if ("problem" in found) expect(found.problem).toContain(`libtorch ${version}; 1.13 or newer`);
});

test("what a wrong folder lacks is named", () => {
  const folder = temporaryFolder();
  expect(inspectLibtorch(join(folder, "absent"))).toEqual({
    problem: `${join(folder, "absent")} does not exist`,
  });
  expect(inspectLibtorch(folder)).toEqual({ problem: `${folder} has no libtorch.so` });
  writeFiles(folder, { "lib/libtorch.so": "" });
  expect(inspectLibtorch(folder)).toMatchObject({ problem: expect.stringContaining("(headers)") });
});
