// Graphs are recorded on a CUDA device alone. Here one is work that is done again at each replay, without a
// look at what tensors hold.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Attack, attacks, pgd } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { sqa } from "../../src/defenses/index.js";
import {
  countedUniform,
  type DeviceGraph,
  imageIdRange,
  keep,
  noGrad,
  scope,
  type Tensor,
  versions,
  withoutHostAccess,
} from "../../src/engine/index.js";
import { small } from "../../src/models/index.js";
import type { Classifier } from "../../src/nn/index.js";
import { type Capture, type ReplayedClassifier, replayed } from "../../src/nn/replayed.js";
import { liveCount } from "../live-count.js";

let captures = 0;
let replays = 0;
beforeEach(() => {
  captures = 0;
  replays = 0;
});

const again: Capture = (work) => {
  captures++;
  const once = (): Tensor[] => withoutHostAccess(() => scope(() => [...work()]));
  const results = once().map((made) => keep(made));
  const graph: DeviceGraph = {
    results,
    replay() {
      replays++;
      scope(() => {
        for (const [i, made] of once().entries()) results[i]!.copy_(made);
      });
    },
    dispose() {
      for (const result of results) result.dispose();
    },
  };
  return graph;
};

const count = 4;
const imageIds = imageIdRange(7, count);
const images = countedUniform({ seed: deriveSeed(1), draw: 0, imageIds }, 0, [1, 28, 28]);
const context = { seed: deriveSeed(2), imageIds };
const noise = (draw: number) => ({ seed: deriveSeed(3), draw, imageIds });

const { module, ...model } = small().build({ seed: 0, defenses: [sqa()] });
const kinds: readonly (readonly [string, Classifier])[] = [
  ["SQA", model.classifier()],
  ["SQA without its noise", model.classifier({ noiseFree: true })],
];

/** Answers of the network, asked so that no attack is done before it began. */
const labels = noGrad(() => model.classifier({ noiseFree: true }).logits(images, noise(0)).argmax(1));

let opened: ReplayedClassifier[] = [];
const open = (plain: Classifier, capture = again): ReplayedClassifier => {
  const made = replayed(plain, "cpu", capture);
  opened.push(made);
  return made;
};
afterEach(() => {
  for (const made of opened) made.dispose();
  opened = [];
});

const found = (attack: Attack, of: Classifier): number[] =>
  scope(() => attack(of, images, labels, context).toNumbers());

describe.each(kinds)("passes of %s that are replayed", (_, plain) => {
  it.each([
    "pgd(steps=6, restarts=2)",
    "apgd(steps=12)",
    "apgd-t(steps=6, targets=2)",
    // Gradients of all logits.
    "fab(steps=6)",
    // Answers alone.
    "square(queries=20)",
    "mi-fgsm(steps=6)",
    "expectation(pgd(steps=6), draws=3)",
    "temperature(pgd(steps=6), value=2)",
  ])("give %s what the network's own give it, to the bit", (text) => {
    const attack = attacks.parse(text);
    const expected = found(attack, plain);
    expect(replays).toBe(0);
    expect(found(attack, open(plain))).toEqual(expected);
    expect(replays).toBeGreaterThan(0);
  });

  it("answer by the images and noise they are given, in copies of their own", () => {
    const there = open(plain);
    scope(() => {
      const answers = noGrad(() => Array.from({ length: 6 }, (_, draw) => there.logits(images, noise(draw))));
      const expected = noGrad(() =>
        Array.from({ length: 6 }, (_, draw) => plain.logits(images, noise(draw))),
      );
      expect(replays).toBe(3);
      expect(answers.map((one) => one.toNumbers())).toEqual(expected.map((one) => one.toNumbers()));
    });
  });

  it("leave nothing behind", () => {
    const attack = pgd({ steps: 6 });
    const before = liveCount();
    const there = replayed(plain, "cpu", again);
    found(attack, there);
    there.dispose();
    expect(replays).toBeGreaterThan(0);
    expect(liveCount()).toBe(before);
  });
});

const { cuda, cudaDevices } = versions();

// Where there is a device, by its graphs.
it.skipIf(cudaDevices === 0 || cuda !== "kernels")(
  "passes of a device's graphs are those made one by one, to rounding",
  () => {
    const device = "cuda:0";
    const there = small().build({ seed: 0, defenses: [sqa()] });
    there.module.to(device);
    const plain = there.classifier({ noiseFree: true });
    const graphs = replayed(plain, device);
    const onDevice = [images, labels, imageIds].map((one) => one.to({ device }));
    const attack = pgd({ epsilon: 0.1, steps: 12, randomStart: false });
    const [expected, given] = [plain, graphs].map((of) =>
      scope(() => attack(of, onDevice[0]!, onDevice[1]!, { ...context, imageIds: onDevice[2]! }).toNumbers()),
    );
    const apart = expected!.filter((pixel, i) => Math.abs(pixel - given![i]!) > 0.01).length;
    expect(apart / expected!.length).toBeLessThan(0.02);
    graphs.dispose();
    there.module.dispose();
  },
);

describe("a replayed classifier", () => {
  const [, plain] = kinds[0]!;
  const several = (there: Classifier, times: number, of = images) =>
    noGrad(() =>
      scope(() => Array.from({ length: times }, (_, draw) => there.logits(of, noise(draw)).toNumbers())),
    );

  it("goes back through the last pass alone", () => {
    const there = open(plain);
    const pass = () => there.pass!(images, noise(0));
    expect([pass(), pass(), pass()]).toEqual([undefined, undefined, undefined]);
    const first = pass()!;
    pass();
    expect(() => first.imageGradient(first.logits)).toThrow("only the last pass");
  });

  it("does without graphs where none can be captured, and does not try again", () => {
    let tried = 0;
    const there = open(plain, () => {
      tried++;
      return undefined;
    });
    expect(several(there, 8)).toEqual(several(plain, 8));
    expect(tried).toBe(1);
  });

  it("keeps graphs for the four sizes of batches that came last", () => {
    const there = open(plain);
    const ids = imageIdRange(0, 5);
    const five = countedUniform({ seed: deriveSeed(1), draw: 0, imageIds: ids }, 0, [1, 28, 28]);
    const pass = (size: number, times: number) => {
      const some = [five, ids].map((all) => all.slice(0, 0, size));
      noGrad(() => {
        for (let draw = 0; draw < times; draw++)
          there.logits(some[0]!, { ...noise(draw), imageIds: some[1]! });
      });
    };
    for (const size of [1, 2, 3, 4]) pass(size, 5);
    expect([captures, replays]).toEqual([4, 8]);
    pass(1, 1);
    pass(5, 5);
    expect([captures, replays]).toEqual([5, 11]);
    pass(1, 1);
    expect([captures, replays]).toEqual([5, 12]);
    // The second size has given way to the fifth.
    pass(2, 5);
    expect([captures, replays]).toEqual([6, 14]);
  });

  it("leaves a gradient through several draws at once to the network", () => {
    const attack = attacks.parse("expectation(pgd(steps=4), draws=3, mean=softmax)");
    expect(found(attack, open(plain))).toEqual(found(attack, plain));
    expect(replays).toBe(0);
  });

  it("leaves passes that are differentiated, and wrong images, to the network", () => {
    const there = open(plain);
    several(there, 5);
    expect(replays).toBe(2);
    expect(there.logits(images.detach().requireGrad(), noise(0)).requiresGrad).toBe(true);
    expect(replays).toBe(2);
    expect(() => there.logits(images.slice(2, 0, 27), noise(0))).toThrow(
      "images must have shape [N, 1, 28, 28]",
    );
  });
});
