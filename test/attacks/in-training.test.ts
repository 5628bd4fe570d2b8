import { expect, test } from "vitest";
import { attacks, Victim } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { noGrad, withoutHostAccess } from "../../src/engine/index.js";
import { maxDifference, quantizedCnn, randomBatch, randomCnn } from "./tiny-networks.js";

const methods = [
  "fgsm(epsilon=0.05)",
  "fgsm(epsilon=0.05, labels=predicted)",
  "fgsm(epsilon=0.05, target=least-likely)",
  "bim(epsilon=0.05, steps=3)",
  "pgd(epsilon=0.05, steps=3)",
  "pgd(norm=l2, epsilon=0.4, steps=3, target=next, loss=margin)",
  "pgd(norm=l1, epsilon=3, steps=3, labels=predicted)",
  "mi-fgsm(norm=l2, epsilon=0.4, steps=3)",
  "ni-fgsm(epsilon=0.05, steps=3)",
  "madry-cw(epsilon=0.05, steps=3)",
  "apgd(epsilon=0.05, steps=5)",
];

test.each(methods)(
  "the search of %s never waits for the device, so that a training step can be a graph",
  (text) => {
    for (const model of [randomCnn, quantizedCnn]) {
      const { images, labels, ids } = randomBatch(5, model);
      const context = { seed: deriveSeed(2, "training"), imageIds: ids };
      const attack = attacks.parse(text);
      const victim = new Victim(model, context, attack.name);
      const found = noGrad(() => withoutHostAccess(() => attack.search(victim, images, labels)));
      expect(maxDifference(found, attack(model, images, labels, context))).toBe(0);
    }
  },
);
