import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { type AddonPlaces, findAddon } from "../../src/engine/addon-file.js";
import { temporaryFolder } from "../setup/fake-libtorch.js";

let root: string;
let project: string;

function write(file: string, content: object | string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

beforeEach(() => {
  project = temporaryFolder();
  root = join(project, "node_modules", "sqa");
  write(join(root, "package.json"), { name: "sqa", version: "1.2.3" });
});

const find = (env: AddonPlaces["env"] = {}) => findAddon({ root, env, platform: "linux-x64" });

function installPlatformPackage(version = "1.2.3"): string {
  const folder = join(project, "node_modules", "@sqa");
  write(join(folder, "linux-x64", "package.json"), { name: "@sqa/linux-x64", version });
  write(join(folder, "libtorch-linux-x64", "package.json"), { name: "@sqa/libtorch-linux-x64" });
  return write(join(folder, "linux-x64", "sqa.node"), "");
}

/** A build of setup's against a libtorch that is there. */
function buildLocally(): { addon: string; libtorch: string } {
  const libtorch = temporaryFolder();
  const build = join(root, "build");
  const addon = write(join(build, "torch-2.13.0-abcdef", "sqa.node"), "");
  write(join(build, "torch-2.13.0-abcdef", "stamp.json"), { libtorch: { path: libtorch } });
  const record = { addon: "torch-2.13.0-abcdef/sqa.node", libtorch: { path: libtorch, source: "pip" } };
  write(join(build, "current.json"), record);
  return { addon, libtorch };
}

describe("the addon is looked for", () => {
  test("as a file, for a libtorch, in the platform's package, in the local build", () => {
    const { addon, libtorch } = buildLocally();
    expect(find()).toMatchObject({ path: addon, source: "local build", libtorch: { source: "pip" } });
    const packaged = installPlatformPackage();
    expect(find()).toMatchObject({ path: packaged, source: "@sqa/linux-x64 1.2.3" });
    expect(find().libtorch.path).toBe(join(project, "node_modules", "@sqa", "libtorch-linux-x64"));
    expect(find({ SQA_LIBTORCH: libtorch })).toMatchObject({ path: addon, libtorch: { path: libtorch } });
    expect(find({ SQA_LIBTORCH: libtorch, SQA_ADDON: "/a.node" }).path).toBe("/a.node");
  });

  test("and where there is none, one line says what to run", () => {
    expect(() => find()).toThrow(
      /^sqa has no native addon for linux-x64: run `npm install @sqa\/linux-x64@1\.2\.3`, or .*`npx sqa setup`/,
    );
    write(join(root, "tsconfig.json"), {});
    expect(() => find()).toThrow(/^the native addon is not built yet: run `npm run setup`$/);
  });

  test("and neither another version's nor another libtorch's is taken", () => {
    installPlatformPackage("1.2.2");
    expect(() => find()).toThrow(
      "@sqa/linux-x64 is version 1.2.2, sqa is 1.2.3: run `npm install @sqa/linux-x64@1.2.3`",
    );
    buildLocally();
    const other = temporaryFolder();
    expect(() => find({ SQA_LIBTORCH: other })).toThrow(
      `SQA_LIBTORCH=${other}: no addon is built against it; run \`npx sqa setup\` once`,
    );
  });
});
