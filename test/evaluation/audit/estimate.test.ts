import { expect, it } from "vitest";
import { parseAttack } from "../../../src/attacks/index.js";
import { deriveSeed } from "../../../src/base/index.js";
import { imageIdRange } from "../../../src/engine/index.js";
import { estimateSeconds, passesOf } from "../../../src/evaluation/audit/estimate.js";
import { blackBox, trialLabel } from "../../../src/evaluation/audit/index.js";
import { goldenImages, goldenLabels, quantizedCnn, tinyCnn } from "../../attacks/tiny-networks.js";
import { planOf } from "./tiny-audit.js";

const noise = { seed: deriveSeed(0, "estimated"), draw: 0 };
const images = [0, 1, 2, 3].map((i) => goldenImages.slice(0, i, i + 1));

// No attack in so small a ball comes to an end early; those by decisions have none.
it.each([
  ["pgd(epsilon=0.001, stepSize=0.0005, steps=7)"],
  ["square(epsilon=0.001, queries=30, draws=2)"],
  ["within(hop-skip-jump(norm=linf, steps=4, draws=3), epsilon=0.1)"],
  ["within(boundary(norm=linf, steps=50, draws=3), epsilon=0.1)"],
  ["noise(epsilon=0.001, tries=20, draws=2)"],
])("tells before %s has run how many passes an image takes at most", (text) => {
  for (const model of [tinyCnn, quantizedCnn]) {
    const taken = images.map((image, i) => {
      const context = { ...noise, imageIds: imageIdRange(i, 1), passes: { forward: 0, backward: 0 } };
      parseAttack(text)(model, image, model.logits(image, context).argmax(1), context);
      return context.passes;
    });
    const expected = passesOf(planOf(model), parseAttack(text), model, images[0]!);
    const most = Math.max(...taken.map(({ forward }) => forward));
    expect(expected.backward).toBe(Math.max(...taken.map(({ backward }) => backward)));
    // Jumps of HopSkipJump and tries of noise to start from are a few more or less.
    expect(expected.forward).toBeGreaterThan(0.85 * most);
    expect(expected.forward).toBeLessThan(1.15 * most);
  }
});

it("takes images of an earlier trial for made: its answers alone take time", () => {
  const free = blackBox("square(epsilon=0.001, queries=3000)");
  const plan = planOf(tinyCnn);
  const batch = { images: goldenImages, labels: goldenLabels, imageIds: imageIdRange(0, 6) };
  const taken = { ...blackBox("square(epsilon=0.002, queries=3000)"), from: free };
  const seconds = estimateSeconds(plan, batch, [free, taken]);
  expect(seconds.get(trialLabel(taken))! * 1000).toBeLessThan(seconds.get(trialLabel(free))!);
});
