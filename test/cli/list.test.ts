import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { attacks } from "../../src/attacks/index.js";
import { main } from "../../src/cli/main.js";
import { mnist } from "../../src/datasets/index.js";
import { train } from "../../src/training/index.js";
import { writeDigits } from "../training/digits-folder.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-list-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function list(...words: string[]) {
  using captured = captureOutput();
  const code = await main(["list", ...words]);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

const kinds = [
  "attacks",
  "models",
  "defenses",
  "data",
  "methods",
  "optimizers",
  "schedules",
  "augmentations",
];

describe("sqa list", () => {
  it("names everything, with options and defaults", async () => {
    const { code, out, err } = await list();
    expect([code, err]).toEqual([0, ""]);
    for (const heading of [...kinds, "guards", "checks", "tables", "presets"]) {
      expect(out).toMatch(new RegExp(`^${heading}$`, "m"));
    }
    const names = [
      "worst-case",
      "large",
      "sqa",
      "fashion-mnist",
      "n-fgsm",
      "one-cycle",
      "sgd",
      "crop-flip",
      "roll-back",
    ];
    for (const name of [...attacks.names, ...names, "security-curve", "table1", "mnist-short"]) {
      expect(out).toMatch(new RegExp(`^  ${name} `, "m"));
    }
    expect(out.replace(/\n +/g, " ")).toMatch(/epsilon=0\.3, .*norm=linf/);
  });

  it("shows one kind, and one entry with all its options", async () => {
    expect((await list("schedules")).out).not.toContain("sgd");
    const { out } = await list("attacks", "pgd");
    expect(out).toMatch(/^pgd, attack: /);
    expect(out).toMatch(/^norm +linf +linf \| l2 \| l1 +norm of the radius and of a step$/m);
    const model = (await list("models", "small")).out;
    expect(model).toContain("images 1 x 28 x 28, 10 classes, 98442 parameters by default\n");
    expect(model).toMatch(/\nlayers: conv1, relu1, [\s\S]*\nplaces "first-layer" of defenses: relu1\n/);
  });

  it("finds an entry by its name alone, in every kind that has it", async () => {
    const { out } = await list("pgd");
    expect(out).toMatch(/^pgd, attack: [\s\S]*\n\npgd, training method: /);
    expect(JSON.parse((await list("resnet18", "--json")).out)).toMatchObject({
      kind: "model",
      name: "resnet18",
    });
    expect(JSON.parse((await list("fgsm", "--json")).out)).toHaveLength(2);
  });

  it("says what presets are for, and what they choose", async () => {
    const { out } = await list("presets");
    expect(out).toMatch(
      /^ {2}mnist-short +MNIST in 4 epochs: FGSM from a random start\n +model=small, data=mnist, epochs=4/m,
    );
  });

  it("shows a preset by its name, in its list or alone", async () => {
    const page = await list("presets", "mnist-short");
    expect(page.code, page.err).toBe(0);
    expect(page.out).toMatch(
      /^mnist-short, preset: MNIST in 4 epochs: .*\n\n {2}model=small\n {2}data=mnist\n/,
    );
    expect(await list("mnist-short")).toEqual(page);
    expect(JSON.parse((await list("mnist-short", "--json")).out)).toMatchObject({
      kind: "preset",
      config: { model: "small", epochs: 4 },
    });
  });

  it("prints JSON", async () => {
    const all = JSON.parse((await list("--json")).out);
    expect(all.optimizers.find(({ name }: { name: string }) => name === "sgd")).toMatchObject({
      options: [{ name: "momentum", default: "0.9" }, {}, {}],
    });
    expect(JSON.parse((await list("attacks", "fgsm", "--json")).out).options[0].name).toBe("epsilon");
  });

  it("suggests the nearest name", async () => {
    for (const [words, message] of [
      [["atacks"], 'unknown name "atacks"; did you mean "attacks"? kinds: attacks, models'],
      [["pdg"], 'unknown name "pdg"; did you mean "pgd"?'],
      [["atacks", "pgd"], 'unknown kind "atacks"; did you mean "attacks"?'],
      [["attacks", "pdg"], 'unknown attack "pdg"; did you mean "pgd"?'],
      [["methods", "fgms"], 'unknown training method "fgms"; did you mean "fgsm"?'],
      [["attacks", "resnet18"], 'unknown attack "resnet18"'],
      [["mnist-shrt"], 'unknown name "mnist-shrt"; did you mean "mnist-short"?'],
      [["presets", "papr"], 'unknown preset "papr"; did you mean "paper"? known: paper, mnist-short'],
    ] as const) {
      const { code, out, err } = await list(...words);
      expect([code, out]).toEqual([64, ""]);
      expect(err).toContain(message);
      expect(err.includes("a name of your own needs --import FILE")).toBe(
        !/unknown (kind|preset)/.test(message),
      );
    }
  });

  it.each([80, 120])("fits %i columns", async (columns) => {
    using captured = captureOutput({ terminal: true, columns, environment: { NO_COLOR: "1" } });
    for (const words of [["attacks"], ["presets"], ["attacks", "autoattack"], ["models", "resnet18"]]) {
      expect(await main(["list", ...words])).toBe(0);
    }
    for (const line of captured.stdout.text.split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
  });
});

describe("sqa list runs", () => {
  const runs = join(folder, "runs");

  it("shows runs beside each other: finished, begun and damaged", async () => {
    const data = mnist({ folder: writeDigits(folder, { train: 40, test: 10 }), checksums: false });
    const config = { model: "small", data, batchSize: 20, validationAttacks: ["fgsm(epsilon=0.1)"] } as const;
    await train({ ...config, epochs: 1 }, { runs });
    for await (const event of train({ ...config, epochs: 3, seed: 1 }, { runs }))
      if (event.type === "epoch") break;
    mkdirSync(join(runs, "damaged"));
    writeFileSync(join(runs, "damaged", "config.json"), "{");
    mkdirSync(join(runs, "no run"));
    // As where the disk that it leads to is not there.
    mkdirSync(join(runs, "elsewhere"));
    symlinkSync(join(folder, "nowhere.json"), join(runs, "elsewhere", "config.json"));
    const { code, out } = await list("runs", runs);
    expect(code).toBe(0);
    const accuracy = String.raw`\d+\.\d +\d+\.\d +FGSM, eps 0\.1`;
    expect(out).toMatch(
      new RegExp(`\\nmnist-small-plain-fgsm-seed0-\\w+ +finished +1 +${accuracy} +\\d\\.\\d s\\n`),
    );
    expect(out).toMatch(new RegExp(`\\nmnist-small-plain-fgsm-seed1-\\w+ +begun +1 +${accuracy}\\n`));
    expect(out).toMatch(/\ndamaged +damaged\n[\s\S]*\ndamaged: \S*config\.json: /);
    expect(out).toMatch(/\nelsewhere +damaged\n[\s\S]*\nelsewhere: \S*config\.json is a link to nothing\n/);
    expect(out).not.toContain("no run");
    const objects = JSON.parse((await list("runs", runs, "--json")).out);
    expect(objects.map(({ state }: { state: string }) => state)).toEqual([
      "damaged",
      "damaged",
      "finished",
      "begun",
    ]);
  });

  it("says where there are none", async () => {
    const none = join(folder, "none");
    expect(await list("runs", none)).toMatchObject({
      code: 66,
      err: expect.stringContaining("none does not exist"),
    });
    const file = join(folder, "file-for-runs");
    writeFileSync(file, "");
    const given = "give the folder of your runs";
    expect(await list("runs", file)).toMatchObject({
      code: 64,
      err: expect.stringContaining(`${file} is no folder: ${given}`),
    });
    expect(await list("runs", join(file, "below"))).toMatchObject({
      code: 66,
      err: expect.stringContaining(`does not exist: ${given}`),
    });
    mkdirSync(none);
    expect((await list("runs", none)).out).toMatch(/^no runs in .*none\n$/);
  });
});
