import { beforeAll, describe, expect, it } from "vitest";
import { callable } from "../../src/attacks/contract/attack.js";
import type { Attack, Norm } from "../../src/attacks/index.js";
import { setThreads, type Tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { coin, splitOfZeros } from "./coin.js";
import { brightness, evaluated, grays } from "./evaluated.js";

beforeAll(() => setThreads(1));

const custom = (
  name: string,
  radius: number | undefined,
  make: (images: Tensor) => Tensor,
  norm: Norm = "linf",
): Attack =>
  callable((_: Classifier, images: Tensor) => make(images), name, {
    options: {},
    call: { name, options: {} },
    label: name,
    traits: { norm, radius, usesGradients: false, randomized: false },
    remake: () => custom(name, radius, make, norm),
  });

describe("what cannot be measured", () => {
  const split = grays(10, 120);
  const failing = (model: Classifier, ...attacks: Attack[]) => evaluated(model, split, { attacks });

  it("is an attack that is none", async () => {
    await expect(failing(brightness, "pgd" as unknown as Attack)).rejects.toThrow(
      new TypeError('attacks must hold attacks such as pgd() or parseAttack("pgd"), not "pgd"'),
    );
  });

  it("is an attack that breaks its promises: the error names it", async () => {
    await expect(
      failing(
        brightness,
        custom("bright", 0.1, (x) => x.add(0.2)),
      ),
    ).rejects.toThrow(/^attack bright left its ball: linf distance 0\.2.*, but its radius is 0\.1/);
    await expect(
      failing(
        brightness,
        custom("wild", undefined, (x) => x.add(0.9)),
      ),
    ).rejects.toThrow(/^attack wild left the pixel range \[0, 1\]/);
    await expect(
      failing(
        brightness,
        custom("small", 1, (x) => x.slice(0, 0, 1)),
      ),
    ).rejects.toThrow("attack small returned float32 [1, 1, 2, 2], not float32 [2, 1, 2, 2]");
    const round = custom("round", 0.15, (x) => x.add(0.1), "l2");
    await expect(failing(brightness, round)).rejects.toThrow(/l2 distance 0\.2/);
  });

  it("is a network whose logits are NaN, or of the wrong shape", async () => {
    const broken = {
      ...brightness,
      logits: (x: Tensor) => x.meanDim([1, 2, 3]).unsqueeze(1).expand([-1, 2]).mul(Number.NaN),
    };
    await expect(failing(broken)).rejects.toThrow(/logits are NaN on clean images/);
    await expect(failing({ ...brightness, classes: 3 })).rejects.toThrow("logits must have shape [2, 3], not [2, 2]");
  });

  it("is an option out of bounds, or images of another size", async () => {
    await expect(evaluated(brightness, split, { attacks: [], draws: 0 })).rejects.toThrow(
      /draws must be an integer in 1 .. 10000, not 0/,
    );
    await expect(evaluated(brightness, split, { attacks: [], batchSize: 1.5 })).rejects.toThrow(/batchSize/);
    await expect(evaluated(brightness, { ...split, count: 1 }, { attacks: [] })).rejects.toThrow(
      /the split's have 8 pixels/,
    );
    await expect(evaluated(brightness, { ...split, labels: Uint8Array.of(0, 2) }, { attacks: [] })).rejects.toThrow(
      /labels must lie in 0 .. 1/,
    );
  });

  it("shows in flags: probabilities, and noise that is not counted", async () => {
    const softmax: Classifier = { ...brightness, logits: (x, noise) => brightness.logits(x, noise).softmax(1) };
    expect((await failing(softmax)).flags.map(({ kind }) => kind)).toEqual(["probabilities"]);
    const hidden: Classifier = { ...coin(0.5), randomized: false };
    const { flags } = await evaluated(hidden, splitOfZeros(16), { attacks: [] });
    expect(flags.map(({ kind }) => kind)).toContain("hidden-randomness");
  });
});
