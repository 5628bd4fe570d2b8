import { describe, expect, test } from "vitest";
import * as sqa from "../src/index.js";

const model = sqa.small.build({ seed: 0 });
const classifier = model.classifier();
const split = { images: new Uint8Array(784), labels: new Uint8Array(1), count: 1 };
const images = sqa.operators.zeros([1, 1, 28, 28]);
const labels = sqa.tensor([0], [1], "int64");
const context = { seed: 0, imageIds: sqa.imageIdRange(0, 1) };

/** What a user without types may give: none of it is what any argument below takes. */
const foreign: [given: unknown, shown: string][] = [
  [undefined, "undefined"],
  [null, "null"],
  [5, "5"],
  [Symbol("s"), "Symbol(s)"],
  [new Map(), "a Map"],
];

/** Begins a generator, whose arguments are looked at no sooner. */
const begun = async (events: AsyncGenerator<unknown>) => void (await events.next());

type Call = (given: never) => unknown;
const calls: [name: string, call: Call][] = [
  ["body", (given) => sqa.scope(given)],
  ["body", (given) => sqa.noGrad(given)],
  ["output", (given) => sqa.grad(given, [labels])],
  ["inputs", (given) => sqa.grad(labels, given)],
  ["inputs", (given) => sqa.grad(labels, [given])],
  ["attack", (given) => sqa.parseAttack(given)],
  ["attack restarts: what is inside it", (given) => sqa.restarts(given)],
  ["model", (given) => sqa.fgsm()(given, images, labels, context)],
  ["model", (given) => begun(sqa.evaluate(given, split, { attacks: [] }))],
  ["split", (given) => begun(sqa.evaluate(classifier, given, { attacks: [] }))],
  ["split", (given) => sqa.subset(given, 1)],
  ["split", (given) => sqa.holdOut(given, 1, 0)],
  ["split", (given) => new sqa.TensorSplit(given, [1, 28, 28])],
  ["imageShape", (given) => new sqa.TensorSplit(split, given)],
  ["network", (given) => sqa.placeAfter(given, {})],
  ["network", (given) => sqa.binarizeWeights(given, {})],
  ["network", (given) => sqa.clipBinaryWeights(given)],
  ["network", (given) => sqa.placedQuantizers(given)],
  ["network", (given) => sqa.isRandomized(given)],
  ["module", (given) => sqa.parameterCount(given)],
  ["module", (given) => sqa.loadState(given, new Map())],
  ["logits", (given) => sqa.margin(given, labels)],
  ["logits", (given) => sqa.dlr(given, labels)],
  ["path", (given) => sqa.networkFromRun(given)],
  ["path", (given) => sqa.networkFromWeights(given, { network: "small" })],
  ["path", (given) => sqa.loadWeights(given, model.module)],
  ["path", (given) => sqa.RunFolder.open(given)],
  ["module", (given) => sqa.saveWeights("never-written", given)],
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
      expect(message.endsWith(`, not ${shown}`) || message.endsWith(", not a list"), message).toBe(true);
    }
  });

  test("a model in place of its classifier, a definition in place of its attack", async () => {
    await expect(begun(sqa.evaluate(model as never, split, { attacks: [] }))).rejects.toThrow(
      "model must be a classifier, such as model.classifier(), not an object",
    );
    expect(() => sqa.restarts(sqa.pgd as never)).toThrow(
      'attack restarts: what is inside it must hold attacks such as pgd() or parseAttack("pgd"), not a function',
    );
    await expect(begun(sqa.evaluate(classifier, split, {} as never))).rejects.toThrow(
      "attacks must be a list of attacks, not undefined",
    );
  });

  test("names and options that cannot be", async () => {
    expect(() => sqa.datasetByName(undefined as never)).toThrow('unknown data set "undefined"; known: mnist');
    expect(() => sqa.small.build(undefined as never)).toThrow("options must be an object such as { seed: 0 }");
    expect(() => sqa.networkFromWeights("package.json", {} as never)).toThrow(
      'options must be an object such as { network: "small" }, not an object',
    );
    await expect(begun(sqa.train({}, { runs: 5 as never }))).rejects.toThrow(
      "runs must be the path of a folder, not 5",
    );
    await expect(begun(sqa.train({}, { signal: true as never }))).rejects.toThrow(
      "signal must be an AbortSignal, not true",
    );
  });

  test("a factory that makes no quantizer places nothing", () => {
    expect(() => sqa.placeAfter(model.module, { relu1: sqa.sqa(), relu2: (() => undefined) as never })).toThrow(
      '"relu2" must be given what sqa() or the like returns',
    );
    expect(sqa.placedQuantizers(model.module)).toEqual([]);
  });
});
