import { describe, expect, it } from "vitest";
import { noise, pgd } from "../../../src/attacks/index.js";
import { auditSettings } from "../../../src/evaluation/audit/options.js";
import { type AuditOptions, audit, budgets } from "../../../src/evaluation/index.js";
import type { Classifier } from "../../../src/nn/index.js";
import { tinyCnn } from "../../attacks/tiny-networks.js";
import { goldenSplit } from "./tiny-audit.js";

describe("options of an audit", () => {
  it("claim PGD of 40 steps relative to the radius where no claim is given", () => {
    const { claim, norm, epsilon, budget } = auditSettings({ epsilon: 8 / 255 });
    expect([norm, epsilon, budget]).toEqual(["linf", 8 / 255, budgets.standard]);
    expect(claim.whiteBox).toBe(true);
    expect(claim.attack!.options).toMatchObject({ norm: "linf", epsilon: 8 / 255, steps: 40 });
    // The length of a step goes with the radius.
    expect(claim.attack!.options.stepSize).toBeUndefined();
    expect(auditSettings({ epsilon: 1.5, norm: "l2" }).claim.attack!.options).toMatchObject({
      norm: "l2",
      epsilon: 1.5,
    });
  });

  it("take the ball from the claim, which may be text", () => {
    expect(auditSettings({ claim: "pgd(norm=l2, epsilon=0.5)" })).toMatchObject({ norm: "l2", epsilon: 0.5 });
    expect(auditSettings({ claim: noise({ epsilon: 0.1 }), epsilon: 0.1 }).claim.whiteBox).toBe(false);
  });

  it.each([
    [{}, /^epsilon must be a radius such as 8 \/ 255, not undefined; or give a claim with a radius$/],
    [{ epsilon: 8 }, /^epsilon: 8 is not in \(0, 1\]; gray levels are written 8 \/ 255$/],
    [{ epsilon: 0 }, /^epsilon: 0 is not in/],
    [{ epsilon: -1, norm: "l2" }, /^epsilon: -1 is not above 0$/],
    [{ epsilon: Number.NaN }, /^epsilon: NaN is not/],
    [
      { epsilon: 0.1, resolution: 0 },
      /^resolution must be a number in \(0, 100\], in points of accuracy, not 0$/,
    ],
    [{ epsilon: 0.1, resolution: Number.POSITIVE_INFINITY }, /^resolution must be .* not Infinity$/],
    [{ epsilon: 0.1, resolution: "5" }, /^resolution must be .* not "5"$/],
    [{ epsilon: 0.1, norm: "l3" }, /^unknown norm "l3"; did you mean/],
    [
      { epsilon: 0.2, claim: pgd({ epsilon: 0.1 }) },
      /^claim pgd\(epsilon=0.1\) attacks within 0.1, and epsilon is 0.2: give both/,
    ],
    [
      { epsilon: 8 / 255, claim: pgd({ epsilon: 4 / 255 }) },
      /attacks within 4\/255, and epsilon is 8\/255: give both/,
    ],
    [
      { norm: "l2", claim: pgd({ epsilon: 0.1 }) },
      /^claim pgd\(epsilon=0.1\) is of norm linf, not l2: leave out norm/,
    ],
    [{ claim: pgd({ norm: "l1", epsilon: 5 }) }, /is of norm l1; audits know linf and l2$/],
    [{ claim: "deepfool" }, /^claim deepfool has no radius: claim an attack within a ball/],
    [{ claim: "rotation-translation", epsilon: 0.1 }, /^claim rotation-translation has no radius/],
    [{ epsilon: 0.1, budget: "quik" }, /^unknown budget "quik"; did you mean "quick"/],
    [{ epsilon: 0.1, budget: { ...budgets.quick, draws: 65_536 } }, /draws.*65536.*10000/],
    [{ epsilon: 0.1, seed: 1.5 }, /^seed/],
    [{ epsilon: 0.1, batchSize: 0 }, /^batchSize must be a whole number >= 1, not 0/],
    [{ eps: 0.1 }, /^unknown option "eps"; .*known: epsilon/],
    [{ epsilon: 0.1, folder: "a", store: {} }, /^give a folder or a store, not both$/],
    [{ epsilon: 0.1, transfers: 3 }, /^transfers must be an object such as/],
  ] as [AuditOptions, RegExp][])("are refused where they make no sense: %j", (options, message) => {
    expect(() => auditSettings(options)).toThrow(message);
  });

  it("are refused where they do not fit the model or the images, before anything runs", async () => {
    const split = goldenSplit(tinyCnn);
    const refused = (options: AuditOptions, model: Classifier = tinyCnn) =>
      expect(audit(model, split, { epsilon: 0.1, ...options })).rejects;
    await refused({ limit: 7 }).toThrow("limit: test images has 6 images, not 7; give 6 at most");
    await refused({ transfers: { other: { ...tinyCnn, classes: 4 } } }).toThrow(
      "transfers.other takes images of [2, 8, 8] and 4 classes; the model images of [2, 8, 8] and 10 classes",
    );
    await refused({ transfers: { other: "runs/x" as never } }).toThrow(/^transfers.other must be a model/);
    await refused(
      { claim: "apgd(loss=dlr, epsilon=0.1)" },
      { ...tinyCnn, classes: 10, inputShape: [1, 8, 8] },
    ).toThrow("model classifier takes images of shape [1, 8, 8]; test images has [2, 8, 8]");
    await refused({ claim: "pgd(target=12, epsilon=0.1)" }).toThrow(
      /^attack pgd: option "target" cannot be 12/,
    );
    await refused({}, { ...tinyCnn, logits: () => undefined as never }).toThrow(
      /^model classifier: answers by undefined/,
    );
  });
});
