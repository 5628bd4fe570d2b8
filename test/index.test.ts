import { describe, expect, test } from "vitest";
import { TensorSplit } from "../src/datasets/index.js";
import {
  binarizeWeights,
  clipBinaryWeights,
  placeAfter,
  placedQuantizers,
  quantizer,
} from "../src/defenses/index.js";
import { grad, imageIdRange, noGrad, operators, scope, Tensor, tensor } from "../src/engine/index.js";
import * as sqa from "../src/index.js";
import { dlr, isRandomized, loadState, margin, parameterCount } from "../src/nn/index.js";
import { loadWeights, saveWeights } from "../src/training/index.js";

const model = sqa.small().build({ seed: 0 });
const classifier = model.classifier();
const classes = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
const data = sqa.imagesOf({ images: new Uint8Array(784), labels: [0], shape: [1, 28, 28], classes });
const split = data.train;
const images = operators.zeros([1, 1, 28, 28]);
const labels = tensor([0], [1], "int64");
const context = { seed: 0, imageIds: imageIdRange(0, 1) };

/** Arguments that a user without types may give: none of it is what any argument below takes. */
const foreign: [given: unknown, shown: string][] = [
  [undefined, "undefined"],
  [null, "null"],
  [5, "5"],
  [Symbol("s"), "Symbol(s)"],
  [new Map(), "a Map"],
];

type Call = (given: never) => unknown;
const calls: [name: string, call: Call][] = [
  ["body", (given) => scope(given)],
  ["body", (given) => noGrad(given)],
  ["output", (given) => grad(given, [labels])],
  ["inputs", (given) => grad(labels, given)],
  ["inputs", (given) => grad(labels, [given])],
  ["attack", (given) => sqa.attacks.parse(given)],
  ["attack restarts: the attack inside it", (given) => sqa.restarts(given)],
  ["classifier", (given) => sqa.fgsm()(given, images, labels, context)],
  ["model", async (given) => sqa.evaluate(given, split, { attacks: [] })],
  ["images", async (given) => sqa.evaluate(classifier, given, { attacks: [] })],
  ["attacks", async (given) => sqa.evaluate(classifier, split, { attacks: given })],
  ["model", async (given) => sqa.audit(given, split, { epsilon: 0.3 })],
  ["images", async (given) => sqa.audit(classifier, given, { epsilon: 0.3 })],
  ["network", (given) => sqa.modelOf(given, { inputShape: [1, 28, 28], classes: 10 })],
  ["images", (given) => sqa.subset(given, 1)],
  ["images", (given) => new TensorSplit(given)],
  ["network", (given) => placeAfter(given, {})],
  ["network", (given) => binarizeWeights(given, {})],
  ["network", (given) => clipBinaryWeights(given)],
  ["network", (given) => placedQuantizers(given)],
  ["network", (given) => isRandomized(given)],
  ["module", (given) => parameterCount(given)],
  ["module", (given) => loadState(given, new Map())],
  ["logits", (given) => margin(given, labels)],
  ["logits", (given) => dlr(given, labels)],
  ["path", (given) => sqa.modelFromRun(given)],
  ["path", (given) => sqa.modelFromWeights(given, sqa.small())],
  ["path", (given) => loadWeights(given, model.module)],
  ["path", (given) => sqa.RunFolder.open(given)],
  ["module", (given) => saveWeights("never-written", given)],
];

describe("an argument of another kind is named, with what was given and what is accepted", () => {
  test.each(calls)("%s", async (name, call) => {
    for (const [given, shown] of foreign) {
      const error = await Promise.resolve(given as never)
        .then(call)
        .catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(TypeError);
      const { message } = error as TypeError;
      expect(message.startsWith(`${name} must `), message).toBe(true);
      expect(
        [`not ${shown}`, `given ${shown}`, "not a list", "not [5]"].some((end) =>
          message.endsWith(`, ${end}`),
        ),
        message,
      ).toBe(true);
    }
  });

  test("a definition in place of its value says that it is to be called", async () => {
    await expect(sqa.evaluate(sqa.small as never, split, { attacks: [] })).rejects.toThrow(
      "call it, as in small()",
    );
    expect(() => sqa.restarts(sqa.pgd as never)).toThrow(
      /^attack restarts: the attack inside it must be an attack/,
    );
    await expect(sqa.evaluate(classifier, split, {} as never)).rejects.toThrow(
      "attacks must be a list of attacks",
    );
  });

  test("names and options that cannot be", async () => {
    const config = { model: sqa.small(), data };
    expect(() => sqa.datasets.parse("minst")).toThrow('unknown data set "minst"; did you mean "mnist"?');
    expect(() => sqa.small().build(undefined as never)).toThrow(
      "options must be an object such as { seed: 0 }",
    );
    expect(() => sqa.modelFromWeights("package.json", {} as never)).toThrow(
      "architecture must be a model such as",
    );
    expect(() => sqa.train(config, { runs: 5 as never })).toThrow("runs must be the path of a folder, not 5");
    const noFolder = 'must be the path of a folder, not ""';
    expect(() => sqa.train(config, { runs: "" })).toThrow(noFolder);
    const audited = sqa.audit(sqa.small().build({ seed: 0 }), data.train, { epsilon: 0.3, folder: "" });
    await expect(audited).rejects.toThrow(noFolder);
    expect(() => sqa.train({ ...config, method: "fgsm" }, { signal: true as never })).toThrow(
      "signal must be an AbortSignal, not true",
    );
  });

  test("a factory that makes no quantizer places nothing", () => {
    expect(() => placeAfter(model.module, { relu1: quantizer(), relu2: (() => undefined) as never })).toThrow(
      '"relu2" must be given what quantizer() or the like returns',
    );
    expect(placedQuantizers(model.module)).toEqual([]);
  });
});

describe("the root of the package", () => {
  test("has every registered thing under its plain name, attacks where a method has the same", () => {
    const exported = Object.values(sqa).filter((value) => typeof value === "function" && "make" in value);
    const registered = [sqa.attacks, sqa.models, sqa.datasets, sqa.defenses, sqa.optimizers, sqa.schedules];
    const others = [sqa.augmentations, sqa.guards];
    for (const kind of [...registered, ...others]) {
      const definitions = (kind as { definitions: readonly unknown[] }).definitions;
      expect(definitions.filter((definition) => !exported.includes(definition as never))).toEqual([]);
    }
    const methods = sqa.methods.definitions.filter((definition) => exported.includes(definition as never));
    expect(methods.map(({ name }) => name).sort()).toEqual(["fgsm-rs", "n-fgsm", "standard"]);
    expect([sqa.fgsm.kind, sqa.pgd.kind]).toEqual(["attack", "attack"]);
    expect(sqa.Tensor).toBe(Tensor);
  });
});
