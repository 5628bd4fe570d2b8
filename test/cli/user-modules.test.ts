import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { RunFolder } from "../../src/training/index.js";
import { writeDigits } from "../training/digits-folder.js";
import { SqaProcess } from "./sqa-process.js";

// Outside of every package: neither sqa nor zod is to be found from here.
const folder = mkdtempSync(join(tmpdir(), "sqa-modules-"));
afterAll(() => rmSync(folder, { recursive: true }));
const plugin = fileURLToPath(new URL("../../examples/own-attack.mjs", import.meta.url));
const digits = `mnist(folder=${writeDigits(folder, { train: 40, test: 10 })}, checksums=false)`;

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** `sqa` as a process, where modules get the instance that runs. */
async function sqa(...words: string[]) {
  const child = new SqaProcess(words);
  const code = await child.ended();
  return { code, out: child.stdout, err: child.stderr };
}

const network = write(
  "my-net.mjs",
  `import { modelOf } from "sqa";
import { Flatten, Linear, ReLU, Sequential } from "sqa/nn";
const network = (seed) =>
  new Sequential({
    flatten: new Flatten(),
    fc1: new Linear(48, 8, { seed }),
    relu1: new ReLU(),
    fc2: new Linear(8, 3, { seed }),
  });
export const model = modelOf(network, { name: "my-net", inputShape: [3, 4, 4], classes: 3 });
`,
);
const images = write(
  "my-images.mjs",
  `import { imagesOf } from "sqa";
const labels = Uint8Array.from({ length: 60 }, (_, i) => i % 3);
const images = Uint8Array.from({ length: 60 * 48 }, (_, i) => (Math.floor(i / 48) % 3 === Math.floor(i / 16) % 3 ? 200 : 20));
export const data = imagesOf({ images, labels, shape: [3, 4, 4], classes: ["r", "g", "b"], test: 0.2, name: "colors" });
`,
);

describe("sqa --import", () => {
  it("makes known what a module registers, wherever it stands", async () => {
    for (const words of [
      ["--import", plugin, "list", "attacks"],
      ["list", "attacks", `--import=${plugin}`],
    ]) {
      const { code, out, err } = await sqa(...words);
      expect([code, err]).toEqual([0, ""]);
      expect(out).toMatch(
        /^ {2}random-sign +moves each pixel by plus or minus epsilon at random\n +epsilon=0\.3$/m,
      );
    }
    expect((await sqa("list", "attacks")).out).not.toContain("random-sign");
  });

  it("gives evaluation and audit an attack of the user's own", { timeout: 300_000 }, async () => {
    const runs = ["--runs", join(folder, "plugin")];
    const train = await sqa(
      "train",
      "--model",
      "small",
      "--images",
      digits,
      "--epochs",
      "1",
      "--quiet",
      ...runs,
    );
    const run = join(train.out.trim());
    const attack = "random-sign(epsilon=0.1)";
    const evaluated = await sqa("--import", plugin, "evaluate", run, "--attack", attack, "--json");
    expect(JSON.parse(evaluated.out).attacks).toMatchObject([
      { attack, passes: { forward: 0, backward: 0 } },
    ]);
    const words = [
      run,
      "--claim",
      attack,
      "--budget",
      "quick",
      "--limit",
      "1",
      "--out",
      join(folder, "audit"),
      "--json",
    ];
    const audited = await sqa("--import", plugin, "audit", ...words);
    expect(audited.code, audited.err).toBe(0);
    expect(JSON.parse(audited.out)).toMatchObject({ claimedBy: attack, epsilon: 0.1 });
  });

  it("takes TypeScript", async () => {
    const typed = write(
      "typed.ts",
      `import { defineSchedule, schedules, z } from "sqa";
const flat = defineSchedule("flat", {
  summary: "one rate, typed",
  options: z.strictObject({ rate: z.number().default(0.1) }),
  rates: ({ rate }: { rate: number }) => (): number => rate,
});
schedules.register(flat);
`,
    );
    expect((await sqa("--import", typed, "list", "schedules")).out).toContain("one rate, typed");
  });

  it.each([
    ["throws.mjs", 'throw new Error("no weights here\\nand more");', "no weights here"],
    [
      "twice.mjs",
      readFileSync(plugin, "utf8").replace('"random-sign"', '"pgd"'),
      'attack "pgd" is registered already',
    ],
    ["syntax.mjs", "const a = 1;\nconst b = ;\n", "syntax.mjs:2: Unexpected token ';'"],
    ["lost.mjs", 'import "nowhere-to-be-found";', "Cannot find package 'nowhere-to-be-found'"],
    ["other.mjs", 'import { fgms } from "sqa";', "does not provide an export named 'fgms'"],
    ["wrong.mjs", 'import { attacks } from "sqa";\nattacks.register({});', "takes definitions of the kind"],
  ])("says in one line what is wrong with %s", async (name, text, message) => {
    const file = write(name, text);
    const { code, out, err } = await sqa("--import", file, "list", "attacks");
    expect([code, out]).toEqual([1, ""]);
    expect(err.startsWith(`error: cannot load ${file}: `), err).toBe(true);
    expect(err).toContain(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });

  it("shows with --debug where in the module it fails", async () => {
    const { err } = await sqa("--debug", "--import", write("deep.mjs", 'throw new Error("deep");'), "list");
    expect(err).toMatch(/deep\.mjs:1:7/);
  });

  it("names a file that is not there", async () => {
    expect(await sqa("--import", "nowhere.mjs", "list")).toEqual({
      code: 66,
      out: "",
      err: "error: module nowhere.mjs does not exist\n",
    });
  });

  it("names what is no file, and waits for no pipe's writer", async () => {
    const [inside, pipe] = [join(folder, "folder.mjs"), join(folder, "pipe.mjs")];
    mkdirSync(inside);
    execFileSync("mkfifo", [pipe]);
    for (const file of [inside, pipe]) {
      const err = `error: module ${file} is no regular file\n`;
      expect(await sqa("--import", file, "list")).toEqual({ code: 65, out: "", err });
    }
  });
});

describe("a model and images of module files", () => {
  const of = ["--architecture", network, "--images", images];
  const runs = ["--runs", join(folder, "runs")];
  let run = "";

  it("are trained, and the run says where they come from", async () => {
    const words = [
      "--model",
      network,
      "--images",
      images,
      "--method",
      "fgsm(epsilon=8/255)",
      "--epochs",
      "1",
    ];
    const given = ["--defense", "sqa(relu1=1)", "--import", plugin];
    const { code, out, err } = await sqa("train", ...words, ...given, ...runs);
    expect(code, err).toBe(0);
    run = out.trim();
    expect(run).toMatch(/colors-my-net-sqa-fgsm-seed0-[0-9a-f]{8}$/);
    expect(err).toContain(
      `next: npx sqa evaluate ${run} --architecture ${network} --images ${images} --import ${plugin}\n`,
    );
    const { own } = JSON.parse(readFileSync(join(run, "config.json"), "utf8"));
    const sha256 = createHash("sha256").update(readFileSync(network)).digest("hex");
    expect(own.model).toMatchObject({ file: network, sha256 });
    expect(own.data.identity).toMatch(/^colors-/);
    expect(RunFolder.open(run).result?.epochs).toBe(1);
  });

  it("are asked for again by whoever opens the run", { timeout: 300_000 }, async () => {
    const evaluated = await sqa("evaluate", run, ...of, "--draws", "2", "--json");
    expect(evaluated.code, evaluated.err).toBe(0);
    expect(JSON.parse(evaluated.out)).toMatchObject({
      model: "my-net",
      defenses: ["sqa(relu1=1)"],
      images: 12,
    });
    const audited = await sqa("audit", run, ...of, "--budget", "quick", "--limit", "2", "--json");
    expect(audited.code, audited.err).toBe(0);
    expect(JSON.parse(audited.out)).toMatchObject({ model: "my-net", epsilon: 8 / 255 });
    expect((await sqa("train", run, ...of)).err).toMatch(/^finished already/);
    for (const [words, message] of [
      [["evaluate", run, "--images", images], `own model "my-net" from ${network}: give it again`],
      [["train", run, "--architecture", network], 'the own images "colors": give them again'],
      [["evaluate", run, "--architecture", network], 'the own images "colors": give them again'],
    ] as const) {
      const { code, err } = await sqa(...words);
      expect(code).toBe(1);
      expect(err).toContain(message);
      expect(err.trimEnd().split("\n")).toHaveLength(1);
    }
  });

  it("are evaluated as they are, without training", async () => {
    const { code, out, err } = await sqa("evaluate", network, "--images", images, "--no-attack", "--json");
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ model: "my-net", file: network, attacks: [] });
  });

  it.each([
    ["empty.mjs", "export {};", "must export model, or a default, made by modelOf: it exports neither"],
    ["number.mjs", "export const model = 5;", "what it exports is something else"],
  ])("says what a module must export: %s", async (name, text, message) => {
    const file = write(name, text);
    const { code, err } = await sqa("evaluate", file, "--images", images);
    expect([code, err]).toEqual([1, expect.stringContaining(`${file} `)]);
    expect(err).toContain(message);
  });

  it.each([
    ["classes", "new Linear(48, 4, { seed })", "[2, 3]"],
    ["NaN", "new Linear(48, 3, { seed }), nan: new Nan()", "NaN or infinite"],
  ])("says in one line that a module answers wrongly: %s", async (name, layers, message) => {
    const nan = "class Nan extends Module { forward(input) { return input.mul(NaN); } }";
    const head =
      'import { modelOf } from "sqa";\nimport { Flatten, Linear, Module, Sequential } from "sqa/nn";';
    const made = `const network = (seed) => new Sequential({ flatten: new Flatten(), fc: ${layers} });`;
    const model =
      'export const model = modelOf(network, { name: "wrong", inputShape: [3, 4, 4], classes: 3 });';
    const file = write(`wrong-${name}.mjs`, [head, nan, made, model].join("\n"));
    const { code, err } = await sqa(
      "train",
      "--model",
      file,
      "--images",
      images,
      "--method",
      "standard",
      ...runs,
    );
    expect(code).not.toBe(0);
    expect(err).toContain("model wrong");
    expect(err).toContain(message);
    expect(
      err
        .trimEnd()
        .split("\n")
        .filter((line) => line.startsWith("error")),
    ).toHaveLength(1);
  });
});

it("a module file in a folder with a package of its own gets the running sqa as well", async () => {
  const project = join(folder, "project");
  mkdirSync(join(project, "node_modules", "sqa"), { recursive: true });
  writeFileSync(
    join(project, "node_modules", "sqa", "package.json"),
    '{ "name": "sqa", "main": "index.js" }',
  );
  writeFileSync(join(project, "node_modules", "sqa", "index.js"), 'throw new Error("another sqa");');
  const file = write("project/plugin.mjs", readFileSync(plugin, "utf8"));
  expect((await sqa("--import", file, "list", "attacks")).out).toContain("random-sign");
});
