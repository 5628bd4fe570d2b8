import { describe, expect, test } from "vitest";
import { type Part, worstOf } from "../../src/attacks/contract/selection.js";
import {
  type Attack,
  cwLinf,
  fgsm,
  madryCw,
  pgd,
  restarts,
  Victim,
  worstCase,
} from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { countedUniform, imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { margin } from "../../src/nn/losses.js";
import { maxDifference, quantizedCnn, randomBatch, randomCnn } from "./tiny-networks.js";

const contextOf = (ids: Tensor, passes = { forward: 0, backward: 0 }) => ({
  seed: deriveSeed(11, "selection"),
  imageIds: ids,
  passes,
});

/** Two classes and images of one pixel x: class 1 leads by x - 0.5 + an even uniform in +-spread. */
function pixelClassifier(spread: number): Classifier {
  return {
    inputShape: [1, 1, 1],
    classes: 2,
    randomized: spread > 0,
    logits(images, noise) {
      const x = images.flatten(1).sub(0.5);
      const shaken =
        spread > 0
          ? x.add(
              countedUniform(noise, 0, [1])
                .sub(0.5)
                .mul(2 * spread),
            )
          : x;
      return shaken.matmul(tensor([0, 1], [1, 2]));
    },
  };
}

const pixels = (values: number[]) => tensor(values, [values.length, 1, 1, 1]);
const zeros = (count: number) => tensor(new Array<number>(count).fill(0), [count], "int64");

/** Keeps the worst of fixed candidates for images that belong to class 0. */
function keptOf(model: Classifier, candidates: number[][], draws = 8) {
  const count = candidates[0]!.length;
  const sizes: number[] = [];
  const ids = imageIdRange(0, count);
  const victim = new Victim(model, contextOf(ids), "fixed");
  const images = pixels(Array.from({ length: count }, (_, i) => i / 1000));
  const runs = candidates.map((values) => ({ images: part }: Part) => {
    // The image's own value tells which rows the run was asked for.
    const rows = part.toNumbers().map((value) => Math.round(value * 1000));
    sizes.push(rows.length);
    return pixels(rows.map((row) => values[row]!));
  });
  const kept = worstOf(runs, victim, images, { labels: zeros(count) }, draws).toNumbers();
  return { kept: kept.map((value) => Math.round(value * 1000) / 1000), sizes };
}

describe("the worst case of candidates", () => {
  test("is the highest margin, and stops once an image is misclassified", () => {
    const { kept, sizes } = keptOf(pixelClassifier(0), [
      [0.2, 0.6, 0.4, 0.1],
      [0.3, 0.9, 0.2, 0.8],
      [0.1, 0.9, 0.7, 0.9],
    ]);
    expect(kept).toEqual([0.3, 0.6, 0.7, 0.8]);
    expect(sizes).toEqual([4, 3, 2]);
  });

  test("runs nothing when every image is misclassified", () => {
    expect(
      keptOf(pixelClassifier(0), [
        [0.7, 0.6],
        [0.9, 0.9],
      ]).sizes,
    ).toEqual([2]);
  });

  test("of a randomized network has the highest mean loss over the draws, whichever candidate came last", () => {
    const better = Array.from({ length: 50 }, (_, i) => 0.6 + i / 1000);
    const worse = better.map((value) => value - 0.02);
    // The same draws judge all candidates, so even a small lead is seen through noise twenty times larger.
    for (const candidates of [
      [better, worse],
      [worse, better],
    ]) {
      expect(keptOf(pixelClassifier(0.4), candidates).kept).toEqual(better);
    }
  });
});

describe("restarts", () => {
  const weak = { epsilon: 0.03, stepSize: 0.01, steps: 2 };
  const margins = (attack: Attack, model = randomCnn) => {
    const { images, labels, ids } = randomBatch(24, model);
    return margin(
      model.logits(attack(model, images, labels, contextOf(ids)), { ...contextOf(ids), draw: 0 }),
      labels,
    );
  };
  const fooled = (m: Tensor) => m.gt(0).toNumbers();

  test.each([
    ["pgd's own", (times: number) => pgd({ ...weak, restarts: times })],
    ["any attack's", (times: number) => restarts(pgd(weak), { times })],
  ] as const)("%s: more of them never lose an image, and win some margin", (_, of) => {
    const [one, four, twelve] = [1, 4, 12].map((times) => margins(of(times)));
    for (const [fewer, more] of [
      [one!, four!],
      [four!, twelve!],
    ] as const) {
      const before = fooled(fewer);
      const after = fooled(more);
      expect(after.filter((value, i) => value < before[i]!)).toEqual([]);
    }
    expect(twelve!.mean().item()).toBeGreaterThan(one!.mean().item());
  });

  test("cost one run where nothing is random, and survivors' passes only after the first", () => {
    const { images, labels, ids } = randomBatch(6, randomCnn);
    const passes = { forward: 0, backward: 0 };
    restarts(cwLinf({ epsilon: 0.01, steps: 3 }), { times: 5 })(
      randomCnn,
      images,
      labels,
      contextOf(ids, passes),
    );
    expect(passes.backward).toBe(6 * 3);

    const strong = { forward: 0, backward: 0 };
    restarts(madryCw({ epsilon: 1, stepSize: 0.3, steps: 3 }), { times: 5 })(
      randomCnn,
      images,
      labels,
      contextOf(ids, strong),
    );
    expect(strong).toEqual({ forward: 6 * 3 + 6, backward: 6 * 3 });
  });

  test("raise a randomized network's mean loss", () => {
    const { images, labels, ids } = randomBatch(24, quantizedCnn);
    const meanMargin = (attack: Attack) => {
      const adversarial = attack(quantizedCnn, images, labels, contextOf(ids));
      return new Victim(quantizedCnn, { ...contextOf(ids), seed: deriveSeed(1, "judge") }, "judge")
        .meanLoss(adversarial, labels, margin, 50)
        .mean()
        .item();
    };
    expect(meanMargin(restarts(pgd(weak), { times: 8, selectionDraws: 16 }))).toBeGreaterThan(
      meanMargin(pgd(weak)),
    );
  });
});

describe("worstCase", () => {
  test("keeps, for each image, the attack that does better", () => {
    const { images, labels, ids } = randomBatch(24, randomCnn);
    const run = (attack: Attack) => attack(randomCnn, images, labels, contextOf(ids));
    const members = [fgsm({ epsilon: 0.03 }), cwLinf({ epsilon: 0.03, steps: 5 })];
    const marginOf = (adversarial: Tensor) =>
      margin(randomCnn.logits(adversarial, { ...contextOf(ids), draw: 0 }), labels);
    const [first, second] = members.map((member) => marginOf(run(member)).toNumbers());
    const worst = marginOf(run(worstCase(members))).toNumbers();
    worst.forEach((value, i) => {
      expect(value).toBeCloseTo(first![i]! > 0 ? first![i]! : Math.max(first![i]!, second![i]!), 5);
    });
  });

  test("of one attack is that attack", () => {
    const { images, labels, ids } = randomBatch(5, randomCnn);
    const attack = pgd({ steps: 2 });
    const alone = attack(randomCnn, images, labels, contextOf(ids));
    expect(maxDifference(worstCase([attack])(randomCnn, images, labels, contextOf(ids)), alone)).toBe(0);
  });

  test("takes attacks of one norm, and has the largest radius", () => {
    expect(worstCase([pgd({ epsilon: 0.1 }), fgsm({ epsilon: 0.2 })]).traits.radius).toBe(0.2);
    expect(() => worstCase([pgd(), pgd({ norm: "l2" })])).toThrow(
      "attack worst-case: all attacks must have one norm, given linf and l2",
    );
    expect(() => worstCase([])).toThrow("attack worst-case: needs one attack or more inside it");
  });
});
