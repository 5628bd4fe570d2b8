import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { FileFormatError } from "../../src/base/index.js";
import { writeSafetensors } from "../../src/files/index.js";
import {
  type Architecture,
  compact,
  huggingFaceModel,
  large,
  type Model,
  modelOf,
  resnet18,
  resnet50,
  small,
} from "../../src/models/index.js";
import { wideResnet } from "../../src/models/wide-resnet.js";
import { ReLU, Sequential } from "../../src/nn/index.js";
import { modelFromWeights } from "../../src/training/index.js";
import { checkpoint, ops, pickle } from "../files/torch-files.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-names-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Numbers = readonly [name: string, shape: readonly number[], data: Float32Array];

/** A model's weights under other names. */
const weightsOf = ({ module }: Model, rename: (name: string) => string): Numbers[] =>
  [...module.state()].map(([name, value]) => [
    rename(name),
    value.shape,
    Float32Array.from(value.toArray() as Float32Array),
  ]);

/** Checkpoint as `torch.save` writes it: tensors under a key, beside objects of a script. */
function torchFile(name: string, key: string, weights: readonly Numbers[]): string {
  const entries = weights.map(([label, shape, data], i) => {
    const strides = shape.map((_, axis) =>
      shape.slice(axis + 1).reduce((product, side) => product * side, 1),
    );
    return [
      label,
      ops.tensor(ops.storage("torch.FloatStorage", String(i), data.length), 0, shape, strides),
    ] as const;
  });
  const storages = Object.fromEntries(
    weights.map(([, , data], i) => [
      String(i),
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    ]),
  );
  const accuracy = ops.tensor(ops.storage("torch.FloatStorage", "acc", 1), 0, [], []);
  const whole = ops.dict([
    ["epoch", ops.int(3)],
    [key, ops.dict(entries)],
    ["best_acc1", accuracy],
    ["args", ops.call("argparse.Namespace", [])],
  ]);
  const file = join(folder, name);
  writeFileSync(file, checkpoint(pickle(whole), { ...storages, acc: new Uint8Array(4) }));
  return file;
}

const safetensors = (name: string, weights: readonly Numbers[]): string => {
  const file = join(folder, name);
  writeSafetensors(
    file,
    weights.map(([label, shape, data]) => [label, { dtype: "float32", shape, data }] as const),
  );
  return file;
};

const statistics = (mean: string, std: string): Numbers[] => [
  [mean, [1, 3, 1, 1], Float32Array.of(0.4914, 0.4822, 0.4465)],
  [std, [1, 3, 1, 1], Float32Array.of(0.2471, 0.2435, 0.2616)],
];
const normalized = { mean: [0.4914, 0.4822, 0.4465], std: [0.2471, 0.2435, 0.2616] };

const cifar = resnet18({ width: 2 });
const wide = wideResnet(10, 1)();
const batches: Numbers[] = [["module.bn1.num_batches_tracked", [1], Float32Array.of(7)]];

/** pytorch-cifar's names. */
const kuangliu = (name: string) =>
  `module.${name.replace(".downsample.", ".shortcut.").replace(/^fc\./, "linear.")}`;

function expectSame(loaded: Model, model: Model): void {
  const found = loaded.module.state();
  for (const [name, value] of model.module.state()) {
    expect([...found.get(name)!.toNumbers()], name).toEqual([...value.toNumbers()]);
  }
}

/** Loads a file into an architecture: what was said, and the weights, which must be the model's. */
function loaded(
  file: string,
  of: Architecture,
  model: Model,
  choice: { key?: string; prefix?: string } = {},
) {
  const remarks: string[] = [];
  expectSame(modelFromWeights(file, of, { ...choice, remark: (text) => remarks.push(text) }), model);
  return remarks;
}

describe("weights are found by the names that the field uses", () => {
  const model = cifar.build({ seed: 3 });

  test("pytorch-cifar's, in a checkpoint beside an accuracy and a script's arguments", () => {
    const file = torchFile("cifar.pth.tar", "net", [...weightsOf(model, kuangliu), ...batches]);
    expect(loaded(file, cifar, model)).toEqual([
      'weights under "net"',
      "passed over beside them: epoch, best_acc1, args (argparse.Namespace)",
      'without the prefix "module." of every name',
    ]);
    expect(() => modelFromWeights(file, cifar, { key: "nets" })).toThrow('unknown key "nets"');
  });

  test("TRADES' and RobustBench's, with a block that the network does not apply", () => {
    const own = wide.build({ seed: 3 });
    const weights = weightsOf(own, (name) => `module.${name}`);
    const idle = weights
      .filter(([name]) => name.startsWith("module.block1."))
      .map(([name, ...rest]): Numbers => [name.replace("block1", "sub_block1"), ...rest]);
    const remarks = loaded(torchFile("trades.pt", "state_dict", [...weights, ...idle]), wide, own);
    expect(remarks.at(-1)).toMatch(
      /^left out, for the model does not use them: sub_block1\.layer\.0\.bn1\.weight, /,
    );
  });

  test.each(["module._orig_mod.", "_orig_mod.module.", "module.module.", "model.", "net.backbone."])(
    "with the prefix %s, in safetensors too",
    (prefix) => {
      const weights = weightsOf(model, (name) => `${prefix}${name}`);
      loaded(safetensors(`wrapped-${prefix}safetensors`, weights), cifar, model);
      loaded(torchFile(`wrapped-${prefix}pt`, "model", weights), cifar, model);
    },
  );

  test("MadryLab's, with an attacker's copy and the normalization, which must be the model's", () => {
    const weights = [
      ...weightsOf(model, (name) => `module.model.${name}`),
      ...weightsOf(model, (name) => `module.attacker.model.${name}`),
      ...statistics("module.normalizer.new_mean", "module.normalizer.new_std"),
    ];
    const file = torchFile("madry.pt", "model", weights);
    const fitting = resnet18({ width: 2, ...normalized });
    expect(loaded(file, fitting, model).at(-2)).toBe('without the prefix "model." of the names');
    expect(() => modelFromWeights(file, cifar)).toThrow(
      "normalizes images by mean [0.4914, 0.4822, 0.4465] and std [0.2471, 0.2435, 0.2616], and the model " +
        "does not: give the architecture mean=[0.4914, 0.4822, 0.4465], std=[0.2471, 0.2435, 0.2616]",
    );
    const other = resnet18({ width: 2, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
    expect(() => modelFromWeights(file, other)).toThrow("does so by [0.5, 0.5, 0.5] and [0.5, 0.5, 0.5]");
  });

  test.each([small, large, compact])("of %s behind a layer that normalizes", (network) => {
    const threshold = network === compact ? { threshold: false } : {};
    const own = network({ ...threshold }).build({ seed: 3 });
    const numbers = (name: string, value: number): Numbers => [name, [1, 1, 1], Float32Array.of(value)];
    const weights = [
      ...weightsOf(own, (name) => `1.${name}`),
      numbers("0.mean", 0.1307),
      numbers("0.std", 0.3081),
    ];
    const file = torchFile("normalizer.pt", "state_dict", weights);
    const refusal = "give the architecture mean=[0.1307], std=[0.3081]";
    expect(() => modelFromWeights(file, network({ ...threshold }))).toThrow(refusal);
    loaded(file, network({ ...threshold, mean: [0.1307], std: [0.3081] }), own);
  });

  test("behind a normalization in a Sequential, and with mu and sigma of RobustBench", () => {
    const fitting = resnet18({ width: 2, ...normalized });
    const behind = [...weightsOf(model, (name) => `1.${name}`), ...statistics("0.mean", "0.std")];
    loaded(safetensors("behind.safetensors", behind), fitting, model);
    loaded(
      torchFile("mu.pt", "state_dict", [...weightsOf(model, String), ...statistics("mu", "sigma")]),
      fitting,
      model,
    );
  });

  test("of one among several networks, when a prefix chooses it", () => {
    const teacher = cifar.build({ seed: 4 });
    const both = [
      ...weightsOf(model, (name) => `student.${name}`),
      ...weightsOf(teacher, (name) => `teacher.${name}`),
    ];
    const file = safetensors("both.safetensors", both);
    expect(() => modelFromWeights(file, cifar)).toThrow(FileFormatError);
    loaded(file, cifar, model, { prefix: "student." });
    loaded(file, cifar, teacher, { prefix: "teacher." });
    expect(() => modelFromWeights(file, cifar, { prefix: "studnt." })).toThrow(
      'unknown prefix "studnt."; did you mean "student."?',
    );
    const withLoss = [
      ...weightsOf(model, (name) => `net.${name}`),
      ["criterion.w", [1], Float32Array.of(1)] as const,
    ];
    const mixed = safetensors("mixed.safetensors", withLoss);
    expect(() => modelFromWeights(mixed, cifar)).toThrow(
      'under "net.", among others: choose them by --prefix net.',
    );
    loaded(mixed, cifar, model, { prefix: "net." });
  });

  test("and no other network's are taken", () => {
    const deeper = resnet18({ width: 3 }).build({ seed: 1 });
    const file = safetensors("other.safetensors", weightsOf(deeper, kuangliu));
    expect(() => modelFromWeights(file, cifar)).toThrow('weight "conv1.weight" must have shape [2, 3, 3, 3]');
    const less = safetensors("less.safetensors", weightsOf(model, kuangliu).slice(1));
    expect(() => modelFromWeights(less, cifar)).toThrow("missing: conv1.weight");
  });
});

test("weights whose names lack what the model's begin with are refused with that beginning", () => {
  const part = cifar.build({ seed: 3 });
  const whole = modelOf((seed) => new Sequential({ 0: new ReLU(), 1: cifar.build({ seed }).module }), {
    inputShape: [3, 32, 32],
    classes: 10,
  });
  const file = safetensors("part.safetensors", weightsOf(part, kuangliu));
  expect(() => modelFromWeights(file, whole)).toThrow(
    'all names lack "1.", with which the model\'s begin: give the architecture of the part',
  );
});

describe("a folder of Hugging Face's", () => {
  const place = join(folder, "resnet");
  mkdirSync(place);
  const config = {
    architectures: ["ResNetForImageClassification"],
    model_type: "resnet",
    layer_type: "bottleneck",
    depths: [3, 4, 6, 3],
    hidden_sizes: [8, 16, 32, 64],
    embedding_size: 2,
    hidden_act: "relu",
    downsample_in_first_stage: false,
    id2label: { 0: "tench", 1: "goldfish", 2: "shark" },
  };
  const write = (changes: object) =>
    writeFileSync(join(place, "config.json"), JSON.stringify({ ...config, ...changes }));
  const preprocessor = {
    image_mean: [0.485, 0.456, 0.406],
    image_std: [0.229, 0.224, 0.225],
    size: { shortest_edge: 224 },
  };
  writeFileSync(join(place, "preprocessor_config.json"), JSON.stringify(preprocessor));
  /** The names of its code, from torchvision's. */
  const hugging = (name: string) =>
    name
      .replace(/^conv1\./, "resnet.embedder.embedder.convolution.")
      .replace(/^bn1\./, "resnet.embedder.embedder.normalization.")
      .replace(
        /^layer(\d)\.(\d+)\./,
        (_, stage, block) => `resnet.encoder.stages.${stage - 1}.layers.${block}.`,
      )
      .replace(/layers\.(\d+)\.conv(\d)\./, (_, block, i) => `layers.${block}.layer.${i - 1}.convolution.`)
      .replace(/layers\.(\d+)\.bn(\d)\./, (_, block, i) => `layers.${block}.layer.${i - 1}.normalization.`)
      .replace("downsample.0.", "shortcut.convolution.")
      .replace("downsample.1.", "shortcut.normalization.")
      .replace(/^fc\./, "classifier.1.");

  test("is read where the network is one of ours", () => {
    write({});
    const own = resnet50({ width: 2, stem: "imagenet", classes: 3, inputShape: [3, 224, 224] }).build({
      seed: 2,
    });
    const weights = weightsOf(own, hugging);
    expect(weights.map(([name]) => name)).toContain(
      "resnet.encoder.stages.1.layers.0.shortcut.convolution.weight",
    );
    writeSafetensors(
      join(place, "model.safetensors"),
      weights.map(([name, shape, data]) => [name, { dtype: "float32", shape, data }] as const),
    );
    const { architecture, weights: file } = huggingFaceModel(place);
    expect(String(architecture)).toBe(
      "resnet50(inputShape=[3, 224, 224], classes=3, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225], " +
        "width=2, stem=imagenet)",
    );
    loaded(file, architecture, own);
  });

  test.each([
    [{ model_type: "vit" }, "model_type vit; model_type:"],
    [{ depths: [3, 4, 6, 4] }, "bottleneck, depths [3,4,6,4], hidden_sizes [8,16,32,64]"],
    [{ downsample_in_bottleneck: true }, "downsample_in_bottleneck"],
    [{ hidden_act: "gelu" }, "hidden_act"],
  ])("with %j is refused, with what is accepted", (changes, message) => {
    write(changes);
    expect(() => huggingFaceModel(place)).toThrow(FileFormatError);
    expect(() => huggingFaceModel(place)).toThrow(message);
    expect(() => huggingFaceModel(place)).toThrow("accepted: model_type resnet of 18, 34, 50 or 101 layers");
  });
});
