// gpu/run.sh with archives that hold a node which only writes down what it is asked to do.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = mkdtempSync(join(tmpdir(), "sqa-gpu-"));
afterAll(() => rmSync(root, { recursive: true }));
const script = fileURLToPath(new URL("../../gpu/run.sh", import.meta.url));
const fakeNode = '#!/bin/sh\necho "node $*"\n';

/** Parts as `npm run pack:gpu` makes them, `bytes` bytes each, of archives with the given files. */
function makeParts(
  folder: string,
  archives: Record<string, Record<string, string>>,
  bytes: number,
): string[] {
  mkdirSync(folder, { recursive: true });
  const lines: string[] = [];
  for (const [name, files] of Object.entries(archives)) {
    const from = mkdtempSync(join(root, "archive-"));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(from, path)), { recursive: true });
      writeFileSync(join(from, path), text, { mode: 0o755 });
    }
    const { stdout } = spawnSync("tar", ["-cz", "--sort=name", "--mtime=@0", "-C", from, "."]);
    for (let part = 0; part * bytes < stdout.length; part++) {
      const chunk = stdout.subarray(part * bytes, (part + 1) * bytes);
      const file = `${name}.tar.gz.${String(part).padStart(2, "0")}`;
      writeFileSync(join(folder, file), chunk);
      lines.push(`${createHash("sha256").update(chunk).digest("hex")}  ${file}`);
    }
  }
  writeFileSync(join(folder, "MANIFEST"), `${lines.join("\n")}\n`);
  return lines.map((line) => line.slice(66));
}

const archives = {
  node: { "bin/node": fakeNode },
  modules: { "node_modules/zod/package.json": "{}" },
  program: { "bin/sqa.mjs": "", "scripts/setup.mjs": "first" },
};

/** A machine: a folder that parts are brought to, and a home that keeps what came. */
function machine(name: string) {
  const here = join(root, name);
  mkdirSync(here);
  cpSync(script, join(here, "run.sh"));
  const home = join(here, "home");
  const bring = (from: string, files: readonly string[]) => {
    for (const file of ["MANIFEST", ...files]) cpSync(join(from, file), join(here, file));
  };
  const run = (...command: string[]) => {
    const env = { PATH: process.env.PATH, SQA_GPU_HOME: home };
    const { status, stdout, stderr } = spawnSync(join(here, "run.sh"), command, {
      cwd: root,
      env,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };
  return { here, home, bring, run };
}

test("parts may come in several calls; the command runs once all are there", () => {
  const parts = join(root, "parts");
  const names = makeParts(parts, archives, 100);
  expect(names.filter((name) => name.startsWith("node."))).toHaveLength(2);
  const { here, home, bring, run } = machine("several");
  bring(parts, ["node.tar.gz.00"]);
  expect(run()).toMatchObject({
    status: 0,
    stderr: expect.stringContaining("still missing: node.tar.gz.01 modules"),
  });
  rmSync(join(here, "node.tar.gz.00"));
  const early = run("sqa", "doctor");
  expect([early.status, early.stdout]).toEqual([3, ""]);
  expect(early.stderr).toContain("cannot run sqa before those parts are there");
  bring(parts, names.slice(1));
  const { status, stdout, stderr } = run("sqa", "train", "--attack", "pgd(steps=7, epsilon=8/255)");
  expect(status).toBe(0);
  // The setup's lines are no output of the command.
  expect(stderr).toContain(`node ${home}/program/scripts/setup.mjs\n`);
  expect(stdout).toBe(`node ${home}/program/bin/sqa.mjs train --attack pgd(steps=7, epsilon=8/255)\n`);
  expect(existsSync(join(home, "program/node_modules/zod/package.json"))).toBe(true);
  for (const name of names) rmSync(join(here, name), { force: true });
  expect(run("sh", "-c", "node again && exit 7")).toMatchObject({ status: 7, stdout: "node again\n" });
});

test("a newer program replaces the older one and keeps what was built", () => {
  const first = join(root, "first");
  const { home, bring, run } = machine("newer");
  bring(first, makeParts(first, archives, 1e6));
  expect(run().status).toBe(0);
  mkdirSync(join(home, "program/build"));
  const second = join(root, "second");
  makeParts(second, { ...archives, program: { "bin/sqa.mjs": "", "scripts/setup.mjs": "second" } }, 1e6);
  bring(second, ["program.tar.gz.00"]);
  expect(run("true")).toMatchObject({ status: 0 });
  expect(readFileSync(join(home, "program/scripts/setup.mjs"), "utf8")).toBe("second");
  expect(existsSync(join(home, "program/build"))).toBe(true);
});

test("a damaged part and a missing manifest are named", () => {
  const parts = join(root, "damaged");
  const names = makeParts(parts, archives, 1e6);
  const { here, bring, run } = machine("damage");
  expect(run()).toMatchObject({ status: 3, stderr: expect.stringContaining("no MANIFEST in") });
  bring(parts, names);
  writeFileSync(join(here, "modules.tar.gz.00"), "cut short");
  expect(run()).toMatchObject({ status: 3, stderr: expect.stringContaining("modules.tar.gz.00 is damaged") });
});

test("a data set is unpacked once the program is there, where sqa looks for it", () => {
  const parts = join(root, "data");
  const sets = { cifar10: { "test_batch.bin.br": "" }, digits: { "images.br": "" } };
  const names = makeParts(parts, { ...archives, ...sets }, 1e6);
  const { home, bring, run } = machine("data-set");
  bring(
    parts,
    names.filter((name) => name.startsWith("cifar10")),
  );
  expect(run().status).toBe(0);
  bring(parts, names);
  const { status, stdout } = run("sh", "-c", "echo $XDG_CACHE_HOME");
  expect([status, stdout.trim().split("\n").at(-1)]).toEqual([0, `${home}/cache`]);
  for (const set of Object.keys(sets)) {
    expect(stdout).toContain(`gpu/unpack-data.mjs ${home}/new ${home}/cache/sqa/${set}\n`);
  }
});
