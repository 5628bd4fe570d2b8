import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { publishedManifest } from "../../scripts/pack/main-package.mjs";
import { newestVersions, problemsOf } from "../../scripts/pack/symbols.mjs";
import { checkout } from "../../scripts/setup/set-up.mjs";

describe("symbols' versions", () => {
  const table = `0000000000000000      DF *UND*	0000000000000000 (GLIBC_2.9) pipe2
0000000000000000      DF *UND*	0000000000000000 (GLIBC_2.28) fcntl64
0000000000000000  w   DF *UND*	0000000000000000  GLIBCXX_3.4.9 _ZSt4cout
0000000000012340 g    DF .text	0000000000000010  GLIBC_2.99 of_its_own
0000000000000000      D  *UND*	0000000000000000  Base        napi_create_external
`;

  test("are read from objdump, and compared as numbers", () => {
    expect(newestVersions(table)).toEqual({ GLIBC: "2.28", GLIBCXX: "3.4.9" });
  });

  test("above the limit, and libraries that are not packed, are problems", () => {
    const needed = ["libc.so.6", "ld-linux-x86-64.so.2", "libtorch.so"];
    expect(problemsOf({ GLIBC: "2.28", GLIBCXX: "3.4.25" }, needed, ["libtorch.so"])).toEqual([]);
    expect(problemsOf({ GLIBC: "2.34", GLIBCXX: "3.4.9" }, [...needed, "libmkl.so.2"], [])).toEqual([
      "it asks for GLIBC_2.34; GLIBC_2.28 is the newest allowed",
      "it needs libtorch.so, which is not packed",
      "it needs libmkl.so.2, which is not packed",
    ]);
    expect(problemsOf({ MUSL: "1" }, [], [])).toEqual(["it asks for MUSL_1, which is not expected"]);
  });
});

test("the published manifest has the platform's package, of its own version, and nothing of development", () => {
  const { optionalDependencies, ...manifest } = publishedManifest({ ...packageJson, version: "1.2.3" });
  expect(optionalDependencies).toMatchObject({ "@sqa/linux-x64": "1.2.3" });
  for (const key of ["private", "scripts", "devDependencies"]) expect(manifest).not.toHaveProperty(key);
  expect(manifest).toMatchObject({ bin: packageJson.bin, dependencies: packageJson.dependencies });
});

test("the package has what runs, and no tests, results or maps", () => {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { stdout } = spawnSync("npm", args, { cwd: checkout, encoding: "utf8" });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  for (const path of ["dist/index.js", "dist/index.d.ts", "bin/sqa.mjs", "native/CMakeLists.txt", "LICENSE"])
    expect(paths).toContain(path);
  expect(paths).toContain(join("scripts", "setup.mjs"));
  const unwanted = /^(?:test|results|bench|src|build|runs|gpu|\.ci)\/|\.map$|tsbuildinfo|stamp\.json$/;
  expect(paths.filter((path) => unwanted.test(path))).toEqual([]);
}, 180_000);
