import { describe, expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { deterministicQuantization, placedQuantizers, sqa } from "../../src/defenses/index.js";
import { imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import { type ModelOfOptions, modelOf } from "../../src/models/index.js";
import { Flatten, LeakyReLU, Linear, Module, ReLU, Sequential, Tanh } from "../../src/nn/index.js";
import { liveCount } from "../live-count.js";

const form = { inputShape: [2, 2, 2], classes: 3 } as const;
const linear = (seed: number, outputs = 3) =>
  new Sequential({ flatten: new Flatten(), relu: new ReLU(), fc: new Linear(8, outputs, { seed }) });
const images = tensor(
  Float32Array.from({ length: 16 }, (_, i) => i / 16),
  [2, 2, 2, 2],
);
const noise = { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, 2) };
const weightsOf = (module: Module) => [...module.state()].map(([name, value]) => [name, value.toNumbers()]);

describe("a model of a function", () => {
  const own = modelOf(linear, { ...form, name: "linear", classNames: ["a", "b", "c"] });

  test("says what it is: name, shape and classes", () => {
    expect(own).toMatchObject({
      name: "linear",
      inputShape: [2, 2, 2],
      classes: 3,
      classNames: ["a", "b", "c"],
    });
    expect([String(own), JSON.stringify({ own })]).toEqual(["linear", '{"own":"linear"}']);
    expect([modelOf(linear, form).name, modelOf(linear, form).classNames]).toEqual([
      "own-model",
      ["0", "1", "2"],
    ]);
  });

  test("is built anew for each seed, with the function's weights", () => {
    const [one, again, other] = [1, 1, 2].map((seed) => own.build({ seed }));
    expect(one!.module).not.toBe(again!.module);
    expect(weightsOf(one!.module)).toEqual(weightsOf(linear(1)));
    expect(weightsOf(again!.module)).toEqual(weightsOf(one!.module));
    expect(weightsOf(other!.module)).not.toEqual(weightsOf(one!.module));
    expect(one).toMatchObject({ name: "linear", classes: 3, classNames: ["a", "b", "c"], defenses: [] });
  });

  test("answers as its module does", () => {
    const { module, classifier } = own.build({ seed: 1 });
    const expected = module.apply(images, { training: false, noise }).toNumbers();
    expect(classifier().logits(images, noise).toNumbers()).toEqual(expected);
    expect(classifier()).toMatchObject({ inputShape: [2, 2, 2], classes: 3, randomized: false });
  });

  test("takes the mean out of its images, and divides by the deviation", () => {
    const normalize = { mean: [0.5, 0.25], std: [0.5, 2] };
    const built = modelOf(linear, { ...form, normalize }).build({ seed: 1 });
    const channel = (i: number) => Math.floor(i / 4) % 2;
    const normalized = images
      .toNumbers()
      .map((pixel, i) => (pixel - [0.5, 0.25][channel(i)]!) / [0.5, 2][channel(i)]!);
    const wanted = linear(1)
      .apply(tensor(normalized, [2, 2, 2, 2]), { training: false, noise })
      .toNumbers();
    for (const [i, value] of built.classifier().logits(images, noise).toNumbers().entries()) {
      expect(value).toBeCloseTo(wanted[i]!, 5);
    }
    expect([...built.module.state().keys()]).toEqual(["fc.weight", "fc.bias"]);
  });

  test("has its defenses where its activations say, or where they are named", () => {
    const placed = modelOf(linear, { ...form, activations: { "first-layer": ["relu"] } });
    const places = (model: { module: Module }) => placedQuantizers(model.module).map(([layer]) => layer);
    expect(places(placed.build({ seed: 0, defenses: [sqa()] }))).toEqual(["relu"]);
    expect(places(own.build({ seed: 0, defenses: [sqa({ layers: { flatten: 2 } })] }))).toEqual(["flatten"]);
    expect(() => own.build({ seed: 0, defenses: [sqa()] })).toThrow(
      "model linear names no places for quantizers: name layers, as in sqa(relu=1); it has flatten, relu, fc",
    );
    expect(() => own.build({ seed: 0, defenses: [sqa({ layers: { rellu: 1 } })] })).toThrow(
      'did you mean "relu"?',
    );
  });

  test("must give a new module each time", () => {
    const module = linear(0);
    const shared = modelOf(() => module, { ...form, name: "shared" });
    shared.build({ seed: 0 });
    const message =
      "model shared: its function gave the same module twice; make a new one each time, or give the module";
    expect(() => shared.build({ seed: 0 })).toThrow(new RangeError(message));
    expect(() => modelOf(() => module, { ...form, name: "shared" }).own!.hash).toThrow(message);
    expect(weightsOf(module)).toEqual(weightsOf(linear(0)));
  });
});

describe("a model of a module", () => {
  test("has the module's weights, whatever the seed, and is built once", () => {
    const module = linear(5);
    const own = modelOf(module, { ...form, name: "given" });
    const [one, other] = [own.build({ seed: 1 }), own.build({ seed: 2 })];
    expect([one.module, other.module]).toEqual([module, module]);
    expect([one.borrowed, other.borrowed]).toEqual([true, true]);
    expect(weightsOf(other.module)).toEqual(weightsOf(linear(5)));
    expect(modelOf(linear, form).build({ seed: 0 }).borrowed).toBeUndefined();
  });

  test("has its defenses and its normalization once, however often it is built", () => {
    const module = linear(5);
    const normalize = { mean: [0.5, 0.5], std: [1, 1] };
    const own = modelOf(module, { ...form, normalize });
    const defenses = [sqa({ layers: { relu: 1 } })];
    for (let i = 0; i < 3; i++) own.build({ seed: i, defenses });
    own.build({ seed: 0, defenses: [sqa({ layers: { relu: 1 } })] });
    expect([placedQuantizers(module).length, module.inputTransforms.length]).toEqual([1, 1]);
  });

  test("is refused with other defenses or options than it was built with, also under another name", () => {
    const module = linear(5);
    modelOf(module, form).build({ seed: 0, defenses: [sqa({ layers: { relu: 1 } })] });
    const others: [ModelOfOptions, (typeof sqa | typeof deterministicQuantization)[]][] = [
      [{ ...form, name: "other" }, []],
      [{ ...form, name: "other" }, [deterministicQuantization]],
      [{ ...form, name: "other", normalize: { mean: [0, 0], std: [1, 1] } }, [sqa]],
      [{ ...form, name: "other", classes: 4 }, [sqa]],
      [{ ...form, name: "other", activations: { "first-layer": ["flatten"] } }, [sqa]],
    ];
    for (const [options, defenses] of others) {
      const build = () =>
        modelOf(module, options).build({
          seed: 0,
          defenses: defenses.map((make) => make({ layers: { relu: 1 } })),
        });
      expect(build).toThrow(
        "model other: its module is part of a model with other defenses or options already",
      );
    }
    expect(placedQuantizers(module)).toHaveLength(1);
    expect(
      modelOf(module, { ...form, name: "renamed" }).build({
        seed: 0,
        defenses: [sqa({ layers: { relu: 1 } })],
      }).name,
    ).toBe("renamed");
  });
});

describe("the hash of an own model", () => {
  const hashOf = (network: Parameters<typeof modelOf>[0], options: Partial<ModelOfOptions> = {}) =>
    modelOf(network, { ...form, ...options }).own!.hash;

  test("is that of the code, of the options and of the weights' names and shapes, and leaves nothing behind", () => {
    const wide = (width: number) => (seed: number) =>
      new Sequential({
        flatten: new Flatten(),
        fc: new Linear(8, width, { seed }),
        last: new Linear(width, 3, { seed }),
      });
    const before = liveCount();
    const hashes = [
      hashOf(linear),
      hashOf((seed) => linear(seed)),
      hashOf((seed) => linear(seed + 1)),
      hashOf(linear, { name: "other" }),
      hashOf(linear, { normalize: { mean: [0, 0], std: [1, 1] } }),
      // The same code, with other shapes around it.
      hashOf(wide(4)),
      hashOf(wide(5)),
    ];
    expect(liveCount()).toBe(before);
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hashOf(linear)).toBe(hashes[0]);
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
  });

  test("of a module is that of its weights", () => {
    const [one, same, other] = [hashOf(linear(1)), hashOf(linear(1)), hashOf(linear(2))];
    expect([one === same, one === other, one === hashOf(linear)]).toEqual([true, false, false]);
  });

  test("is that of what is between the weights, too", () => {
    const between = (layer: Module, after: Module[] = []) => {
      const fc = new Linear(8, 3, { seed: 1 });
      fc.outputTransforms.push(...after);
      return new Sequential({ flatten: new Flatten(), fc, layer });
    };
    class Scaled extends Module {
      constructor(readonly factor: number) {
        super();
      }
      protected override forward(input: Tensor): Tensor {
        return input.mul(this.factor);
      }
    }
    const other = class Scaled extends Module {
      readonly factor = 2;
      protected override forward(input: Tensor): Tensor {
        return input.add(this.factor);
      }
    };
    const makers = [
      () => between(new ReLU()),
      () => between(new Tanh()),
      () => between(new LeakyReLU(0.1)),
      () => between(new LeakyReLU(0.2)),
      () => between(new Scaled(2)),
      () => between(new Scaled(3)),
      () => between(new Scaled(-0)),
      () => between(new other()),
      () => between(new ReLU(), [new ReLU()]),
    ];
    for (const network of [(make: () => Module) => make(), (make: () => Module) => () => make()]) {
      const hashes = makers.map((make) => hashOf(network(make)));
      expect(new Set(hashes).size).toBe(makers.length);
      expect(makers.map((make) => hashOf(network(make)))).toEqual(hashes);
    }
    const originOf = (make: () => Module) => modelOf(make(), form).build({ seed: 0 }).origin!();
    const origins = makers.map(originOf);
    expect(new Set(origins).size).toBe(makers.length);
    expect(makers.map(originOf)).toEqual(origins);
  });

  test("is not that of the defenses that a model put into its module", () => {
    const [module, alike] = [linear(1), linear(1)];
    modelOf(module, { ...form, normalize: { mean: [0, 0], std: [1, 1] } }).build({
      seed: 0,
      defenses: [sqa({ layers: { relu: 1 } })],
    });
    expect(hashOf(module)).toBe(hashOf(alike));
  });

  test("is that of the weights that a run began with, also once it is fitted to a data set", () => {
    const module = linear(1);
    const own = modelOf(module, form);
    const format = {
      imageShape: [2, 2, 2],
      classNames: ["a", "b", "c"],
      statistics: { mean: [0, 0], std: [1, 1] },
    } as const;
    const fitted = own.fittedTo(format, "data");
    const before = fitted.own!.hash;
    module.state().get("fc.bias")!.detach().add_(1);
    expect([own.own!.hash, fitted.own!.hash]).toEqual([before, before]);
    expect(hashOf(module)).not.toBe(before);
  });
});

describe("an own model is fitted to a data set", () => {
  const format = {
    imageShape: [2, 2, 2],
    classNames: ["x", "y", "z"],
    statistics: { mean: [0, 0], std: [1, 1] },
  } as const;

  test("by the names of its classes, if it has none of its own", () => {
    const fitted = modelOf(linear, form).fittedTo(format, "data set own");
    expect([fitted.classNames, fitted.build({ seed: 0 }).classNames]).toEqual([
      format.classNames,
      format.classNames,
    ]);
    const named = modelOf(linear, { ...form, classNames: ["a", "b", "c"] });
    expect(named.fittedTo(format, "data set own").classNames).toEqual(["a", "b", "c"]);
  });

  test("or refused where their shapes or numbers of classes differ", () => {
    const own = modelOf(linear, { ...form, name: "linear" });
    expect(() => own.fittedTo({ ...format, imageShape: [1, 2, 2] }, "data set own")).toThrow(
      new RangeError("model linear takes images of shape [2, 2, 2]; data set own has [1, 2, 2]"),
    );
    expect(() => own.fittedTo({ ...format, classNames: ["x", "y"] }, "data set own")).toThrow(
      new RangeError("model linear has 3 classes; data set own has 2"),
    );
  });
});
