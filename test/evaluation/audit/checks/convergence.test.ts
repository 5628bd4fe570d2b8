import { describe, expect, it } from "vitest";
import {
  convergedRestarts,
  convergedSteps,
  lossConverged,
  securityCurve,
  silentSuccess,
  unconstrained,
} from "../../../../src/evaluation/audit/checks/all.js";
import { curveRadii, radiusAttacks } from "../../../../src/evaluation/audit/curves/curve-attacks.js";
import { tinyCnn } from "../../../attacks/tiny-networks.js";
import { judge, type Under } from "../judged.js";
import { planOf } from "../tiny-audit.js";

const plan = planOf(tinyCnn);

describe("the security curve", () => {
  /** Counts of a curve by its radii: `first` at the second one, `rest` at the others. */
  const counts = (name: string, second: number, rest: number, of = plan): Under => {
    const { at } = radiusAttacks(of).find((attack) => attack.name === name)!;
    return curveRadii(of).map((radius, i) => [at(radius), i === 1 ? second : rest] as const);
  };
  const falling = (names: readonly string[]): Under => names.flatMap((name) => counts(name, 190, 190));

  it("masks where an attack of many steps by gradients rises, corrected for its points", () => {
    const outcomeOf = (name: string, second: number, rest: number) =>
      judge(securityCurve(), [
        ...falling(["PGD", "APGD"].filter((one) => one !== name)),
        ...counts(name, second, rest),
      ]).outcome;
    expect(outcomeOf("PGD", 200, 194)).toBe("passed");
    expect(outcomeOf("PGD", 200, 180)).toBe("masked");
    expect(outcomeOf("APGD", 200, 170)).toBe("masked");
    // FGSM overshoots, and Square says nothing about gradients.
    expect(judge(securityCurve(), [...falling(["PGD", "APGD"]), ...counts("FGSM", 200, 170)]).outcome).toBe(
      "passed",
    );
    expect(judge(securityCurve(), [...falling(["PGD", "APGD"]), ...counts("Square", 200, 170)]).outcome).toBe(
      "passed",
    );
  });

  it("passes no attack that never lowers accuracy, and says which it is", () => {
    expect(judge(securityCurve(), [])).toMatchObject({
      outcome: "noted",
      evidence: expect.stringMatching(
        /; PGD and APGD does not fall: the attack is too weak to tell anything$/,
      ),
    });
    expect(judge(securityCurve(), counts("PGD", 195, 195))).toMatchObject({
      outcome: "noted",
      evidence: expect.stringMatching(/; APGD does not fall/),
    });
    // One image of a deterministic model that falls is a proof.
    expect(judge(securityCurve(), [...counts("PGD", 199, 199), ...counts("APGD", 199, 199)]).outcome).toBe(
      "passed",
    );
  });

  it("must fall to chance at half the pixel range and to 0 without a bound", () => {
    const [half, without] = unconstrained().trials(plan);
    const outcomeOf = (atHalf: number, unbounded: number) =>
      judge(unconstrained(), [
        [half!, atHalf],
        [without!, unbounded],
      ]).outcome;
    expect(outcomeOf(20, 0)).toBe("passed");
    expect(outcomeOf(60, 0)).toBe("noted");
    expect(outcomeOf(20, 30)).toBe("masked");
  });
});

describe("convergence", () => {
  it("notes more than half a point by twice the steps or restarts", () => {
    for (const check of [convergedSteps(), convergedRestarts()]) {
      const [once, twice] = check.trials(plan);
      const outcomeOf = (...correct: [number, number]) =>
        judge(check, [
          [once!, correct[0]],
          [twice!, correct[1]],
        ]).outcome;
      expect([outcomeOf(190, 188), outcomeOf(190, 189)]).toEqual(["noted", "passed"]);
      expect(outcomeOf(200, 199)).toBe("skipped");
    }
  });

  const ofLosses = (...losses: number[]) => judge(lossConverged(), [], { trace: { losses, fooled: [] } });

  it("notes a loss that still rises, or that is no higher than at first", () => {
    expect(ofLosses(1, 2, 3, 3, 3, 3).outcome).toBe("passed");
    expect(ofLosses(1, 2, 3, 4, 5, 6).outcome).toBe("noted");
    expect(ofLosses(2, 2, 2, 2)).toMatchObject({
      outcome: "noted",
      evidence: expect.stringContaining("does not raise the loss"),
    });
    expect(ofLosses(1).outcome).toBe("skipped");
    // A share of the loss, however small that is.
    expect(ofLosses(1e-20, 2e-20, 3e-20, 4e-20, 5e-20, 6e-20).outcome).toBe("noted");
    expect(ofLosses(1e-20, 2e-20, 3e-20, 3e-20, 3e-20, 3e-20).outcome).toBe("passed");
  });

  it("notes successes on the way that are not returned", () => {
    const ofSuccesses = (...steps: number[][]) =>
      judge(silentSuccess(), [], {
        trace: { losses: [], fooled: steps.map((step) => Uint8Array.from(step)) },
      }).outcome;
    expect(ofSuccesses([0, 0], [0, 1], [1, 1])).toBe("passed");
    expect(ofSuccesses([0, 1], [1, 0], [1, 0])).toBe("noted");
  });
});
