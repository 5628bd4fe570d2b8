import { describe, expect, it } from "vitest";
import { attacks, lsPga, square } from "../../../src/attacks/index.js";
import { deriveSeed } from "../../../src/base/index.js";
import { TensorSplit } from "../../../src/datasets/index.js";
import { imageIdRange } from "../../../src/engine/index.js";
import { countPasses, estimateSeconds, passesOf } from "../../../src/evaluation/audit/time/estimate.js";
import { blackBox, MemoryStore, whiteBox } from "../../../src/trials/index.js";
import { goldenImages, quantizedCnn, tinyCnn } from "../../attacks/tiny-networks.js";
import { claimOf, goldenSplit, planOf } from "./tiny-audit.js";

const noise = { seed: deriveSeed(0, "estimated"), draw: 0 };
const images = [0, 1, 2, 3].map((i) => goldenImages.slice(0, i, i + 1));
const data = new TensorSplit(goldenSplit(tinyCnn));

// No attack in so small a ball comes to an end early; those by decisions have none.
it.each([
  ["pgd(epsilon=0.001, stepSize=0.0005, steps=7)"],
  ["square(epsilon=0.001, queries=30, draws=2)"],
  ["within(hop-skip-jump(norm=linf, steps=4, draws=3), epsilon=0.1)"],
  ["within(boundary(norm=linf, steps=50, draws=3), epsilon=0.1)"],
  ["noise(epsilon=0.001, tries=20, draws=2)"],
])("tells before %s has run how many passes an image takes at most", (text) => {
  const attack = attacks.parse(text);
  for (const model of [tinyCnn, quantizedCnn]) {
    const taken = images.map((image, i) => {
      const context = { ...noise, imageIds: imageIdRange(i, 1), passes: { forward: 0, backward: 0 } };
      attack(model, image, model.logits(image, context).argmax(1), context);
      return context.passes;
    });
    const expected = passesOf(planOf(model), attack, model, images[0]!);
    const most = Math.max(...taken.map(({ forward }) => forward));
    expect(expected.backward).toBe(Math.max(...taken.map(({ backward }) => backward)));
    // Jumps of HopSkipJump and tries of noise to start from are a few more or less.
    expect(expected.forward).toBeGreaterThan(0.85 * most);
    expect(expected.forward).toBeLessThan(1.15 * most);
  }
});

it("tells the passes of LS-PGA, which go behind the levels of pixels", () => {
  const behind = { ...tinyCnn, inputShape: [8, 8, 8] as const };
  const coded = { ...tinyCnn, levels: { count: 4, scale: 3.999, behind } };
  const passes = { forward: 3, backward: 3 };
  expect(passesOf(planOf(coded), lsPga({ steps: 3 }), coded, images[0]!)).toEqual(passes);
});

describe("the passes of trials", () => {
  const plan = planOf(tinyCnn);
  const free = blackBox(square({ epsilon: 0.001, queries: 3000 }));
  const counted = (...given: Parameters<typeof countPasses>) => {
    const steps = countPasses(...given);
    let pauses = 0;
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) pauses++;
    return { pauses, passes: step.value };
  };

  it("are none where images of an earlier trial are taken: their answers alone take time", () => {
    const taken = blackBox(square({ epsilon: 0.002, queries: 3000 }), { from: free });
    const { passes } = counted(plan, data, [free, taken]);
    const seconds = estimateSeconds(plan, data.range(0, 6), [free, taken], passes);
    expect(seconds.get(taken.id)! * 1000).toBeLessThan(seconds.get(free.id)!);
  });

  it("are noted after each attack, so that an audit that is started again counts on", () => {
    const trials = [whiteBox(claimOf(0.05)), whiteBox(claimOf(0.1)), free];
    const store = new MemoryStore();
    const steps = countPasses(plan, data, trials, store);
    steps.next();
    steps.next();
    const { pauses, passes } = counted(plan, data, trials, store);
    expect(pauses).toBe(1);
    expect(passes).toEqual(counted(plan, data, trials).passes);
    expect(counted(plan, data, trials, store).pauses).toBe(0);
  });

  it("that were noted wrongly are counted anew", () => {
    const store = new MemoryStore();
    const { passes } = counted(plan, data, [free], store);
    const [key] = Object.keys(store.readNote("passes") as object);
    for (const note of [7, null, { [key!]: { forward: -1, backward: 0 } }, { [key!]: "3000" }]) {
      store.writeNote("passes", note);
      expect(counted(plan, data, [free], store).passes).toEqual(passes);
    }
  });
});
