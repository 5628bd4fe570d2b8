import { describe, expect, test } from "vitest";
import { defenses, deterministicQuantization, placedQuantizers, sqa } from "../../src/defenses/index.js";
import { type Defense, modelOf, models } from "../../src/models/index.js";
import { Flatten, Sequential, Tanh } from "../../src/nn/index.js";

/** Layers that quantizers follow in a narrow model, with their lambda. */
function places(model: string, defense: Defense): Record<string, number> {
  const { module } = models.parse(model).build({ seed: 0, defenses: [defense] });
  return Object.fromEntries(placedQuantizers(module).map(([name, { options }]) => [name, options.lambda]));
}

describe("SQA without layers of its own", () => {
  test("stands after the first layer with lambda 1 and after the first block with lambda 2", () => {
    expect(places("resnet18(width=8)", sqa())).toEqual({ relu: 1, "layer1.0": 2 });
    expect(places("preact-resnet18(width=8)", sqa())).toEqual({ "layer1.0.relu1": 1, "layer1.0": 2 });
  });

  test("stands after the first layer with lambda 1 and after the second with lambda 2 where there are no blocks", () => {
    for (const model of ["small", "large", "compact"])
      expect(places(model, sqa())).toEqual({ relu1: 1, relu2: 2 });
    expect(places("small", sqa({ places: "first-layer" }))).toEqual({ relu1: 1 });
  });

  test("reads the paper's bottleneck module in other ways as well", () => {
    const read = (text: string) => places("resnet34(width=8)", defenses.parse(text));
    expect(read("sqa(places=first-layer)")).toEqual({ relu: 1 });
    const depths = [3, 4, 6, 3];
    const blocks = depths.flatMap((depth, i) =>
      Array.from({ length: depth }, (_, block) => [`layer${i + 1}.${block}`, 2]),
    );
    expect(read("sqa(places=blocks)")).toEqual({ relu: 1, ...Object.fromEntries(blocks) });
    expect(read("sqa(places=stages)")).toEqual({
      relu: 1,
      "layer1.2": 2,
      "layer2.3": 2,
      "layer3.5": 2,
      "layer4.2": 2,
    });
  });

  test("and rounding to the nearest level stand in the same places", () => {
    for (const model of ["small", "resnet18(width=8)"]) {
      expect(places(model, deterministicQuantization())).toEqual(places(model, sqa()));
    }
  });
});

describe("SQA after named layers", () => {
  test("stands there alone, by name or pattern", () => {
    expect(places("small", sqa({ layers: { relu2: 3 } }))).toEqual({ relu2: 3 });
    expect(places("resnet18(width=8)", defenses.parse('sqa("layer*.1.relu2"=2)'))).toEqual(
      Object.fromEntries([1, 2, 3, 4].map((stage) => [`layer${stage}.1.relu2`, 2])),
    );
  });

  test("is written with them, in any order the same", () => {
    const value = sqa({ layers: { relu2: 2, relu1: 1 }, range: "batch" });
    expect(String(value)).toBe("sqa(relu1=1, relu2=2, range=batch)");
    expect(String(defenses.parse("sqa(range=batch, relu2=2, relu1=1)"))).toBe(String(value));
    expect(String(sqa({ layers: { "block*.relu": 1 } }))).toBe('sqa("block*.relu"=1)');
    expect(defenses.parse("sqa(relu1=1)").options).toEqual({
      layers: { relu1: 1 },
      places: "first-block",
      range: "image",
    });
  });

  test("has the same noise whatever their order in the options", () => {
    const streams = (text: string) => {
      const { module } = models.parse("small").build({ seed: 0, defenses: [defenses.parse(text)] });
      return placedQuantizers(module).map(([name, { stream }]) => [name, stream]);
    };
    expect(streams("sqa(relu3=1, relu1=1, relu2=1)")).toEqual(streams("sqa(relu1=1, relu2=1, relu3=1)"));
  });

  test.each([
    ["sqa(relu1=0)", 'defense sqa: option "layers" cannot be {"relu1":0}; accepted: whole numbers in [1, '],
    ["sqa(relu1=0.5)", 'option "layers" cannot be'],
    ["sqa(relu1=1, places=everywhere)", 'option "places" cannot be "everywhere"'],
    ["sqa(sqa())", "defense sqa: takes options such as a=1, given sqa()"],
    ["squa", 'unknown defense "squa"; did you mean "sqa"?'],
  ])("%s is refused", (text, message) => {
    expect(() => defenses.parse(text)).toThrow(message);
  });

  test("is refused by a model that has no such layer, and names those near", () => {
    expect(() => places("small", sqa({ layers: { relu9: 1 } }))).toThrow(
      /unknown layer "relu9"; did you mean "relu1"\?/,
    );
    expect(() => places("small", sqa({ layers: { "relu*": 1, relu1: 2 } }))).toThrow(
      'layer "relu1" is matched by both "relu*" and "relu1"',
    );
  });
});

test.each([
  ["deterministic-quantization", "as in deterministic-quantization(flat=1); it has flat, soft"],
  ["sqa", "model bare names no places for quantizers: name layers, as in sqa(flat=1); it has flat, soft"],
  ["sap", "no ReLU layer that this defense could follow: .* class ReLU; it has flat, soft"],
  ["binary-weights", "no layer whose weights could be binary: .* Conv2d and Linear .*; it has flat, soft"],
  ["thermometer", "needs a convolution of 1 channels as the first layer, found no layer with weights"],
] as const)("%s says what a model without its places has", (defense, message) => {
  const network = () => new Sequential({ flat: new Flatten(), soft: new Tanh() });
  const bare = modelOf(network, { name: "bare", inputShape: [1, 2, 2], classes: 4 });
  const build = () => bare.build({ seed: 0, defenses: [defenses.parse(defense)] });
  expect(build).toThrow(new RegExp(message.replace(/[()]/g, "\\$&")));
});
