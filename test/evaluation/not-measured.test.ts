import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { type Attack, defineAttack, fgsm, attacks as kind, pgd, square } from "../../src/attacks/index.js";
import { imagesOf } from "../../src/datasets/index.js";
import { setThreads, type Tensor, tensor } from "../../src/engine/index.js";
import { type EvaluationOptions, evaluate } from "../../src/evaluation/index.js";
import { modelOf, small } from "../../src/models/index.js";
import { type Classifier, Flatten, Linear, Module, Sequential } from "../../src/nn/index.js";
import { coin, splitOfZeros } from "./coin.js";
import { brightness, grays, splitFor } from "./splits.js";

beforeAll(() => setThreads(1));

/** Attack that makes its images by a function alone. */
const custom = (
  name: string,
  radius: number | undefined,
  make: (images: Tensor) => Tensor,
  norm = "linf" as const,
) =>
  defineAttack(name, {
    summary: "for tests",
    options: z.strictObject({}),
    traits: () => ({ norm, radius, usesGradients: false, randomized: false }),
    run: (_, __, images) => make(images),
  })();

const split = grays(10, 120);
const failing = (model: Classifier, ...attacks: (Attack | string)[]) => evaluate(model, split, { attacks });

describe("an attack that fails", () => {
  it.each([
    [
      "bright",
      0.1,
      (x: Tensor) => x.add(0.2),
      /^attack bright left its ball: linf distance 0\.2.*radius is 0\.1/,
    ],
    ["wild", undefined, (x: Tensor) => x.add(0.9), /^attack wild returned pixels outside \[0, 1\]/],
    [
      "part",
      1,
      (x: Tensor) => x.slice(0, 0, 1),
      /^attack part returned float32 \[1, 1, 2, 2\], not float32 \[2, 1, 2, 2\]/,
    ],
    [
      "broken",
      1,
      () => {
        throw new Error("out of order");
      },
      /^out of order$/,
    ],
  ])("is a row with its error, and the others go on: %s", async (name, radius, make, message) => {
    const { attacks, worstCases } = await failing(
      brightness,
      fgsm(),
      custom(name, radius, make),
      "fgsm(epsilon=0.1)",
    );
    expect(attacks.map(({ attack, robustAccuracy }) => [attack, robustAccuracy])).toEqual([
      ["fgsm", 0.5],
      [name, Number.NaN],
      ["fgsm(epsilon=0.1)", 0.5],
    ]);
    expect(attacks[1]!.error).toMatch(message);
    expect(attacks[0]).not.toHaveProperty("error");
    expect(worstCases.map(({ attacks }) => attacks)).toEqual([1, 2]);
  });

  it("shows as an event where it happens", async () => {
    const errors: (string | undefined)[] = [];
    const work = failing(
      brightness,
      custom("bright", 0.1, (x) => x.add(0.2)),
      fgsm(),
    );
    for await (const event of work)
      if (event.type === "attack") errors.push(event.attack.error?.slice(0, 25));
    expect(errors).toEqual(["attack bright left its ba", undefined]);
  });

  it("by gradients that are not finite is a row with its error", async () => {
    const nan: Classifier = {
      ...brightness,
      logits: (x, noise) => brightness.logits(x, noise).add(x.sub(x.detach()).abs().pow(0.5).sum().mul(0)),
    };
    const { attacks } = await failing(nan, fgsm(), square({ queries: 2 }));
    expect(attacks[0]!.error).toBe("attack fgsm: the gradient of the classifier's loss is not finite");
    expect(attacks[1]!.robustAccuracy).toBe(0.5);
  });
});

describe("what does not fit is refused before anything runs", () => {
  /** Runs an evaluation, whose model must not have been attacked; the error's message is returned. */
  async function refused(
    given: Partial<EvaluationOptions>,
    model: unknown = brightness,
    images: unknown = split,
  ) {
    const events: unknown[] = [];
    const work = evaluate(model as Classifier, images as typeof split, { attacks: [fgsm()], ...given });
    try {
      for await (const event of work) events.push(event);
    } catch (error) {
      expect(events).toEqual([]);
      expect((error as Error).message).not.toContain("\n");
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    throw new Error("nothing was refused");
  }

  it.each([
    [
      { attacks: ["square", "apgd-t"] },
      /^RangeError: attack apgd-t: .*4 classes or more, and the classifier has 2; take loss=margin/,
    ],
    [{ attacks: ["restarts(apgd-t())"] }, /^RangeError: attack .*4 classes or more/],
    [
      { attacks: ["fgsm", "pgd(target=7)"] },
      /^RangeError: attack pgd: option "target" cannot be 7; accepted: the classes 0 .. 1/,
    ],
    [{ attacks: ["backward(pgd(), through=mean)"] }, /^RangeError: attack backward.*no surrogate "mean"/],
    [{ attacks: [7 as never] }, /^TypeError: attacks\[0\] must be an attack such as .*, not 7/],
    [{ attacks: ["fgsm", "pgdd"] }, /^RangeError: unknown attack "pgdd"; did you mean "pgd"/],
    [{ attacks: fgsm() as never }, /^TypeError: attacks must be a list of attacks/],
    [{ draws: 0 }, /^RangeError: draws must be a whole number in 1 .. 10000, not 0/],
    [{ batchSize: 1.5 }, /^RangeError: batchSize must be a whole number >= 1, not 1.5/],
    [{ limit: 3 }, /^RangeError: limit: test images has 2 images, not 3; give 2 at most/],
    [{ seed: -1 }, /^RangeError: seed/],
    [{ drawz: 3 } as never, /^RangeError: unknown option "drawz"; did you mean "draws"/],
    [{ device: "tpu" }, /device/],
  ] as [Partial<EvaluationOptions>, RegExp][])("%j", async (given, message) => {
    expect(await refused(given)).toMatch(message);
  });

  it("is images or labels that are not the model's", async () => {
    const mnistLike = splitFor(
      { inputShape: [1, 28, 28], classes: 10 },
      new Uint8Array(784),
      Uint8Array.of(3),
    );
    expect(await refused({}, brightness, mnistLike)).toBe(
      "RangeError: model classifier takes images of shape [1, 2, 2]; test images has [1, 28, 28]",
    );
    expect(await refused({}, brightness, { ...split, count: 1 })).toMatch(
      /8 pixels, expected 4 for 1 image of \[1, 2, 2\]/,
    );
    expect(await refused({}, brightness, { ...split, labels: Uint8Array.of(0, 2) })).toBe(
      "RangeError: test images: label 2 of image 1 is not a class of model classifier, which has classes 0 .. 1",
    );
    const bright = { ...split, images: Float32Array.from(split.images) };
    expect(await refused({}, brightness, bright)).toMatch(/pixel 10 is not in \[0, 1\]; divide bytes by 255/);
    expect(await refused({}, brightness, { images: 3 })).toMatch(/^TypeError: images must be a split/);
    const untested = imagesOf({
      images: split.images,
      labels: [0, 1],
      shape: [1, 2, 2],
      classes: ["a", "b"],
    });
    expect(await refused({}, brightness, untested)).toMatch(/no test split/);
  });

  it("is a model that is none", async () => {
    expect(await refused({}, small)).toMatch(/^TypeError: model must be a model, .*not a function: call it/);
    expect(await refused({}, new Flatten())).toMatch(/^TypeError: model .* not a Flatten: give modelOf/);
    const run = { model: small().build({ seed: 0 }) };
    expect(await refused({}, run)).toMatch(/^TypeError: model .* give its .model/);
    expect(await refused({}, { ...brightness, classes: 1 })).toMatch(
      /^RangeError: model must have 2 classes or more/,
    );
  });

  describe("is an own module", () => {
    const options = { name: "my-net", inputShape: [1, 2, 2], classes: 2 } as const;
    const answering = (answer: (input: Tensor) => unknown) => {
      class Own extends Module {
        protected override forward(input: Tensor): Tensor {
          return answer(input) as Tensor;
        }
      }
      return modelOf(() => new Own(), options);
    };

    it.each([
      [
        "with another number of classes",
        /^RangeError: model my-net: .*\[2, 4\], not \[2, 2\]/,
        (x: Tensor) => x.flatten(1),
      ],
      [
        "that returns nothing",
        /^TypeError: model my-net: the output must be a tensor, not undefined/,
        () => undefined,
      ],
      ["that is async", /^TypeError: model my-net: .*Promise/, async (x: Tensor) => x.flatten(1)],
      [
        "that cannot take the images",
        /^Error: model my-net: cannot answer images of shape \[1, 2, 2\]: /,
        (x: Tensor) => x.reshape([3, 5]),
      ],
      [
        "that changes the images",
        /^Error: model my-net changes or frees the images that it is given: it must work on a clone$/,
        (x: Tensor) => {
          x.mul_(0.5);
          return x.flatten(1).slice(1, 0, 2);
        },
      ],
      [
        "that frees the images",
        /^Error: model my-net changes or frees the images/,
        (x: Tensor) => {
          const logits = x.flatten(1).slice(1, 0, 2).clone();
          x.dispose();
          return logits;
        },
      ],
    ])("%s", async (_, message, answer) => {
      expect(await refused({}, answering(answer))).toMatch(message);
    });

    it("that answers by NaN, which its name tells", async () => {
      const network = () => new Sequential({ flat: new Flatten(), fc: new Linear(4, 2, { seed: 1 }) });
      const model = modelOf(network, options).build({ seed: 0 });
      model.module.state().get("fc.bias")!.detach().mul_(Number.NaN);
      const work = evaluate(model, split, { attacks: [] });
      await expect(work).rejects.toThrow(/^model my-net: the logits are NaN on clean images/);
    });
  });
});

it("models are put back on their devices where a surrogate is refused", async () => {
  const moves: string[] = [];
  const onDevice = (name: string, classes: number) => {
    const model = small({ classes }).build({ seed: 0 });
    const state = () => new Map([["weight", { device: "cuda:0" }]]);
    const to = (device: string) => void moves.push(`${name} to ${device}`);
    Object.assign(model.module, { state, to });
    return model;
  };
  const [model, surrogate] = [onDevice("model", 2), onDevice("surrogate", 3)];
  await expect(evaluate(model, split, { attacks: [], device: "cpu", surrogate })).rejects.toThrow(
    "surrogate",
  );
  expect(moves).toEqual(["model to cpu", "surrogate to cpu", "surrogate to cuda:0", "model to cuda:0"]);
});

describe("a flag tells of", () => {
  const kinds = async (model: Classifier, attacks: (Attack | string)[], images = split) => {
    const { flags } = await evaluate(model, images, { attacks, draws: 2 });
    return flags.map(({ kind, attack }) => (attack === undefined ? kind : `${kind} ${attack}`));
  };

  it("probabilities, equal logits, and noise that is not counted", async () => {
    const softmax: Classifier = {
      ...brightness,
      logits: (x, noise) => brightness.logits(x, noise).softmax(1),
    };
    expect(await kinds(softmax, [])).toEqual(["probabilities"]);
    const flat: Classifier = { ...brightness, logits: (x, noise) => brightness.logits(x, noise).mul(0) };
    expect(await kinds(flat, [])).toEqual(["equal-logits"]);
    const hidden: Classifier = { ...coin(0.5), randomized: false };
    expect(await kinds(hidden, [], splitOfZeros(16))).toContain("hidden-randomness");
  });

  it("gradients that vanish in the loss, and not where the attack heeds its remedies", async () => {
    const scaled: Classifier = { ...brightness, logits: (x, noise) => brightness.logits(x, noise).mul(1e5) };
    const dark = grays(...Array.from({ length: 30 }, (_, i) => i));
    const found = await kinds(
      scaled,
      ["pgd(steps=2)", "pgd(loss=margin)", "temperature(pgd(), value=1e5)"],
      dark,
    );
    expect(found).toEqual(["vanishing-gradients pgd(steps=2)"]);
    const { flags } = await evaluate(scaled, dark, { attacks: ["fgsm"] });
    expect(flags[0]!.message).toMatch(/zero for 30 of 30 images.*loss=margin.*temperature\(/);
    expect(await kinds(brightness, ["pgd(steps=2)"], dark)).toEqual([]);
  });

  it("gradients that the model does not pass back, and of attacks without gradients nothing", async () => {
    const rounded: Classifier = {
      ...brightness,
      logits: (x, noise) => brightness.logits(x.mul(8).round().div(8), noise),
    };
    const dark = grays(...Array.from({ length: 30 }, (_, i) => i));
    expect(await kinds(rounded, [pgd({ steps: 2 }), square({ queries: 2 })], dark)).toEqual([
      "blocked-gradients pgd(steps=2)",
    ]);
  });

  it("gradients that a surrogate does not pass back, and those behind levels of pixels", async () => {
    /** Brightness of images that are given by weights of their levels. */
    const behind = (round: (x: Tensor) => Tensor): Classifier => ({
      ...brightness,
      inputShape: [4, 2, 2],
      logits: (weights, noise) =>
        brightness.logits(
          round(
            weights
              .mul(tensor([0, 1, 2, 3], [4, 1, 1]))
              .sumDim([1], true)
              .div(4),
          ),
          noise,
        ),
    });
    const steps = (x: Tensor) => x.mul(8).round().div(8);
    const rounded: Classifier = { ...brightness, logits: (x, noise) => brightness.logits(steps(x), noise) };
    const models = (round: (x: Tensor) => Tensor): Classifier => ({
      ...rounded,
      surrogates: { open: brightness, rounded },
      levels: { count: 4, scale: 3.999, behind: behind(round) },
    });
    const through = ["open", "rounded"].flatMap((name) =>
      ["own", "surrogate"].map((forward) => `backward(pgd(steps=2), through=${name}, forward=${forward})`),
    );
    const dark = grays(...Array.from({ length: 30 }, (_, i) => i));
    const attacks = [...through, "ls-pga(steps=2)"];
    const blocked = (given: string[]) => given.map((attack) => `blocked-gradients ${kind.parse(attack)}`);
    expect(
      await kinds(
        models((x) => x),
        attacks,
        dark,
      ),
    ).toEqual(blocked(through.slice(2)));
    expect(await kinds(models(steps), ["ls-pga(steps=2)"], dark)).toEqual(blocked(["ls-pga(steps=2)"]));
  });

  it("gradients that are blocked for the few images that an attack is not spared", async () => {
    const rounded: Classifier = {
      ...brightness,
      logits: (x, noise) => brightness.logits(x.mul(8).round().div(8), noise),
    };
    // Six are right, all in the first batch; FAB leaves the others as they are.
    const few = grays(...[0, 1, 2, 3, 4, 5], ...Array.from({ length: 54 }, (_, i) => 200 + i));
    const { flags } = await evaluate(rounded, few, { attacks: ["fab(steps=2)"], batchSize: 20 });
    const blocked = flags.find(({ kind }) => kind === "blocked-gradients");
    expect(blocked?.message).toContain("no gradient back to fab(steps=2) for 6 of 6 images");
  });

  it("an attack that changes nothing", async () => {
    const same = custom("same", 0.1, (x) => x.clone());
    expect(await kinds(brightness, [same, "fgsm(epsilon=0.01)", same])).toEqual([
      "changed-nothing same",
      "changed-nothing same",
    ]);
    const tiny = [
      ...["pgd(epsilon=1e-30, steps=2)", "pgd(epsilon=1e-7, steps=2)", "pgd(stepSize=1e-30, steps=2)"],
      ...["pgd(epsilon=1e-30, steps=2, norm=l2)", "pgd(stepSize=1e-30, steps=2, norm=l2)"],
    ];
    const dark = grays(0, 10, 20);
    expect(await kinds(brightness, tiny, dark)).toEqual(tiny.map((attack) => `changed-nothing ${attack}`));
    const { flags } = await evaluate(brightness, dark, { attacks: ["fgsm(epsilon=1e-7)"] });
    expect(flags[0]!.message).toContain("changed none of 3 images by more than 0.000001: its accuracy");
    const still = await evaluate(brightness, dark, { attacks: ["pgd(stepSize=1e-9, steps=2)"] });
    expect(still.flags[0]!.message).toMatch(
      /^all steps of pgd.* together are no longer than 0.000001, so it/,
    );
    expect(await kinds(brightness, ["fgsm(epsilon=1e-5)"], dark)).toEqual([]);
    // Images that are wrong already need no attack.
    expect(await kinds(brightness, [same], grays(200, 210))).toEqual([]);
  });
});
