import { describe, expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { sqa } from "../../src/defenses/index.js";
import { imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import { type ModelOfOptions, modelOf, small } from "../../src/models/index.js";
import { Flatten, Linear, Module, Sequential } from "../../src/nn/index.js";

const form = { inputShape: [2, 2, 2], classes: 3 } as const;
const linear = (seed: number, outputs = 3) =>
  new Sequential({ flatten: new Flatten(), fc: new Linear(8, outputs, { seed }) });
const images = tensor(new Float32Array(16), [2, 2, 2, 2]);
const noise = { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, 2) };

/** Module whose answers have a shape that nobody asked for. */
class Wrong extends Module {
  constructor(readonly answer: (input: Tensor) => Tensor) {
    super();
  }

  protected override forward(input: Tensor): Tensor {
    return this.answer(input);
  }
}

describe("what is no model is refused", () => {
  class Own extends Wrong {}

  test.each<[unknown, string]>([
    [undefined, "network must be a Module or a function (seed) => Module, not undefined"],
    [{ apply: () => images }, "network must be a Module or a function (seed) => Module, not an object"],
    [Own, "network must be a Module or a function (seed) => Module, such as () => new Own(), not a function"],
    [small(), "network must be a Module or a function (seed) => Module, not an object"],
  ])("%s", (network, message) => {
    expect(() => modelOf(network as never, form)).toThrow(new TypeError(message));
  });

  test("a function that gives no module", () => {
    const own = modelOf((() => ({})) as never, { ...form, name: "empty" });
    expect(() => own.build({ seed: 0 })).toThrow(
      new TypeError("the network of model empty must be a Module, not an object"),
    );
    expect(() => own.own!.hash).toThrow("the network of model empty must be a Module");
  });

  test.each<[Partial<Record<keyof ModelOfOptions, unknown>>, string]>([
    [{ inputShape: undefined }, "inputShape must be [channels, height, width], not undefined"],
    [{ inputShape: [3, 32] }, "inputShape must be [channels, height, width], not [3, 32]"],
    [{ inputShape: [3, 32, 0.5] }, "inputShape must be whole numbers >= 1, not 0.5"],
    [{ classes: 1 }, "classes must be a whole number >= 2, not 1"],
    [{ classes: "10" }, 'classes must be a whole number >= 2, not "10"'],
    [{ name: "../up" }, 'name must be 1 to 64 letters, digits, _, . and -, the first no . or -, not "../up"'],
    [{ name: ".hidden" }, "name must be 1 to 64 letters"],
    [{ name: "" }, "name must be 1 to 64 letters"],
    [{ name: "a".repeat(65) }, "name must be 1 to 64 letters"],
    [{ classNames: ["a"] }, "classNames must name each of 3 classes, given 1"],
    [{ classNames: "abc" }, 'classNames must be a list of names, not "abc"'],
    [
      { normalize: { mean: [0.5], std: [1] } },
      "normalize: 1 number for mean, and images have 2 channels; give 0.5,0.5/1,1",
    ],
    [
      { normalize: { mean: [0.5, 0.5], std: [1, 1, 2] } },
      "normalize: 3 numbers for std, and images have 2 channels; give 0.5,0.5/1,1",
    ],
    [
      { normalize: { mean: 0.5, std: 1 } },
      "normalize must be { mean, std } with a number for each channel (2), not an object",
    ],
    [
      { normalize: { mean: [0.5, Number.NaN], std: [1, 1] } },
      "normalize must be { mean, std } with a number for each channel",
    ],
    [{ normalize: { mean: [0, 0], std: [1, 0] } }, "normalize.std must be above 0, not [1, 0]"],
    [{ activations: { "first-layer": "relu1" } }, "activations must be lists of layers by place"],
  ])("options %j", (change, message) => {
    expect(() => modelOf(linear, { ...form, ...change } as never)).toThrow(message);
  });

  test("seeds and defenses that are none", () => {
    const own = modelOf(linear, form);
    expect(() => own.build(undefined as never)).toThrow("options must be an object such as { seed: 0 }");
    expect(() => own.build({ seed: -1 })).toThrow("seed must be an integer >= 0, not -1");
    expect(() => own.build({ seed: 0, defenses: sqa() as never })).toThrow(
      "defenses must be a list of defenses",
    );
    expect(() => own.build({ seed: 0, defenses: ["sqa"] as never })).toThrow(
      'a defense must be a value such as sqa(), not "sqa"',
    );
  });
});

test.each<[string, (input: Tensor) => Tensor, string]>([
  [
    "another number of classes",
    (input) => linear(0, 5).apply(input, { training: false, noise }),
    "not [2, 5]",
  ],
  ["a number of each image", (input) => input.sumDim([1, 2, 3], false), "not [2]"],
  ["the images", (input) => input, "not [2, 2, 2, 2]"],
])("a model whose module gives %s says so when it is asked", (_, answer, shape) => {
  const own = modelOf(() => new Wrong(answer), { ...form, name: "wrong" }).build({ seed: 0 });
  expect(() => own.classifier().logits(images, noise)).toThrow(
    new RangeError(`the logits of model wrong must have shape [2, 3], ${shape}`),
  );
});
