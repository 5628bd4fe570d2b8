import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readPt2 } from "../../../src/files/index.js";
import { graphOfPt2 } from "../../../src/models/exported/aten/pt2-graph.js";
import { modelFromFile } from "../../../src/models/index.js";
import { fixture, load } from "./fixtures.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-exported-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("what cannot be run is refused, with the way out", () => {
  it.each([
    ["training", /batch_norm: it normalizes by the batch.*model\.eval\(\)/],
    ["beside", /an image's logits change with the other images of its batch: export a module that/],
    ["one-score", /shape \[2, 1\], not \[2, classes\]: a single score is of two classes.*torch\.cat/],
    ["two-inputs", /it takes 2 inputs; a classifier takes one tensor of images/],
    ["higher-order", /higher-order operator wrap_with_set_grad_enabled.*run_decompositions\(\{\}\)/],
    ["foreign", /operator mine::twice: its code is not in the file/],
    ["torchscript", /TorchScript is a program, which is never run; export the model in Python/],
  ])("%s", async (name, message) => {
    await expect(load(name)).rejects.toThrow(message);
    await expect(load(name)).rejects.toThrow(fixture(name));
  });

  it("operators that are not known, in one sentence", () => {
    const file = readPt2(fixture("plain"));
    const withTargets = (...targets: string[]) => {
      const nodes = file.program.nodes.map((node, i) => ({ ...node, target: targets[i] ?? node.target }));
      return () => graphOfPt2({ ...file, program: { ...file.program, nodes } });
    };
    const [one, two] = ["torch.ops.aten.quantile.default", "torch.ops.aten._trilinear.default"];
    const wayOut =
      "not supported; call .run_decompositions() on what export returned (or leave that out, where it was " +
      "called), or write it otherwise";
    expect(withTargets(one)).toThrow(`operator aten.quantile.default is ${wayOut}`);
    const both = `operators aten.quantile.default, aten._trilinear.default are ${wayOut}`;
    expect(withTargets(one, two)).toThrow(both);
  });

  it("a file that is none, one that is not there, and options that do not fit", async () => {
    const file = join(folder, "model.pt2");
    writeFileSync(file, "no archive");
    await expect(modelFromFile(file)).rejects.toThrow(/no model of torch.export.save.*\n.*from torch.export/);
    await expect(modelFromFile(`${file}x.pt2`)).rejects.toThrow("does not exist");
    await expect(modelFromFile("model.txt")).rejects.toThrow("exported models end in .pt2");
    await expect(load("plain", { classes: 7 })).rejects.toThrow("has 5 classes, not 7");
    await expect(load("plain", { inputShape: [1, 8, 8] })).rejects.toThrow("[N, 3, 8, 8]");
    await expect(load("plain", { normalize: { mean: [0], std: [1] } })).rejects.toThrow(
      "normalize: 1 number for mean, and images have 3 channels; give 0,0,0/1,1,1",
    );
    await expect(load("plain", { exact: true } as never)).rejects.toThrow(/unknown option.*exactGradients/);
  });
});
