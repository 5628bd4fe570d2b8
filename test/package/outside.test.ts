import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { setUp } from "../../scripts/setup/set-up.mjs";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const project = mkdtempSync(join(tmpdir(), "sqa-project-"));
afterAll(() => rmSync(project, { recursive: true }));

const options = {
  module: "nodenext",
  target: "es2022",
  strict: true,
  noEmit: true,
  skipLibCheck: false,
  allowJs: true,
  checkJs: true,
  lib: ["es2022", "esnext.disposable"],
  types: ["node"],
  typeRoots: [join(checkout, "node_modules", "@types")],
};

/** Errors of the compiler for files in a project whose only package is a link to the checkout. */
function compile(files: readonly string[], other: object = {}): string {
  const compilerOptions = { ...options, ...other };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const compiler = join(checkout, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = spawnSync(process.execPath, [compiler, "-p", project], {
    cwd: project,
    encoding: "utf8",
  });
  return stdout;
}

beforeAll(() => {
  // What a project sees is dist/.
  setUp({ env: { ...process.env, SQA_ADDON: process.env.SQA_ADDON ?? "not needed to compile" } });
  mkdirSync(join(project, "node_modules"));
  symlinkSync(checkout, join(project, "node_modules", "sqa"));
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
});

describe("in a project outside of the checkout", () => {
  it.each(["quick-start.ts", "own-model-and-data.ts", "own-attack.mjs"])(
    "%s compiles under --strict",
    (name) => {
      copyFileSync(join(checkout, "examples", name), join(project, name));
      expect(compile([name])).toBe("");
    },
  );

  it("README's program compiles under --strict", () => {
    const readme = readFileSync(join(checkout, "README.md"), "utf8");
    const [, program] = /^```ts\n(.*?)^```/ms.exec(readme)!;
    writeFileSync(join(project, "readme.ts"), program!);
    expect(compile(["readme.ts"])).toBe("");
  });

  it.each([
    ["attacks/gradient/pgd", "Number of steps. Accepted: a whole number of at least 1"],
    ["training/methods/n-fgsm", "Step; epsilon when left out. Accepted: a number above 0; optional."],
    ["models/vanilla-cnn", "Accepted: "],
    ["datasets/mnist", "Accepted: "],
    ["datasets/sources/npz", "Accepted: "],
    ["defenses/sqa", "Accepted: "],
  ])("%s shows the help of its options", (file, help) => {
    expect(readFileSync(join(checkout, "dist", `${file}.d.ts`), "utf8")).toContain(help);
  });

  it("the compiler completes and refuses names, options and values", () => {
    const program = `import { fgsm, mnist, nFgsm, pgd, resnet18, small, sqa, train } from "sqa";
import { methods } from "sqa/training";
const data = mnist();
train({ model: "small", data: "mnist", method: "fgsm(epsilon=0.3)" });
train({ model: small(), data, method: fgsm({ epsilon: 0.3 }), defenses: [sqa(), "binary-weights"] });
train({ model: resnet18({ width: 16 }), data: "cifar10(folder=data)", method: nFgsm({ epsilon: 8 / 255 }) });
// @ts-expect-error a name that there is not
train({ model: "smal", data });
// @ts-expect-error a data set that there is not
train({ model: small(), data: "minst" });
// @ts-expect-error a method that there is not
train({ model: small(), data, method: "fgms(epsilon=0.3)" });
// @ts-expect-error an option that there is not
pgd({ eps: 0.3 });
// @ts-expect-error a model is no defense
train({ model: small(), data, defenses: [small()] });
// @ts-expect-error a configuration needs images
train({ model: small() });
methods.parse("fgsm");
`;
    writeFileSync(join(project, "types.ts"), program);
    expect(compile(["types.ts"])).toBe("");
  });

  it("programs need no types of Node's", () => {
    const program = `import { fgsm, mnist, small, train } from "sqa";
import { Sequential } from "sqa/nn";
export const run = train({ model: small(), data: mnist(), method: fgsm({ epsilon: 0.3 }) });
export const empty = new Sequential({});
`;
    writeFileSync(join(project, "bare.ts"), program);
    expect(compile(["bare.ts"], { types: [], lib: [...options.lib, "dom"] })).toBe("");
  });

  it("every path of the package has its types", () => {
    const paths = Object.keys(packageJson.exports).filter((path) => path !== "./package.json");
    const lines = paths.map(
      (path, i) => `import * as part${i} from "${path.replace(".", "sqa")}";\nvoid part${i};`,
    );
    writeFileSync(join(project, "paths.ts"), lines.join("\n"));
    // Charts of the paper have types of a browser.
    expect(compile(["paths.ts"], { lib: [...options.lib, "dom"] })).toBe("");
    expect(paths).toHaveLength(11);
  });
});
