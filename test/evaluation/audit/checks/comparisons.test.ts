import { describe, expect, it } from "vitest";
import type { Attack } from "../../../../src/attacks/index.js";
import { averagedAttack, suite } from "../../../../src/evaluation/audit/attacks.js";
import {
  adaptiveSteps,
  autoattackSuite,
  claimedAttack,
  decisionBased,
  expectation,
  finite,
  fixedSeed,
  labelLeak,
  noiseSearch,
  otherGradients,
  otherLosses,
  rotations,
  scoreBased,
  singleStep,
  surrogates,
  transfer,
} from "../../../../src/evaluation/audit/checks/all.js";
import type { Check } from "../../../../src/evaluation/audit/checks/index.js";
import type { AuditPlan, AuditResults } from "../../../../src/evaluation/audit/plan.js";
import { verdictName } from "../../../../src/evaluation/audit/verdict/verdict.js";
import type { Classifier } from "../../../../src/nn/index.js";
import { type Player, type Trial, trialOf, whiteBox, worstOf } from "../../../../src/trials/index.js";
import { tinyCnn } from "../../../attacks/tiny-networks.js";
import { judge, leaving, type Under } from "../judged.js";
import { budget, planOf } from "../tiny-audit.js";

const quantized: Classifier = { ...tinyCnn, surrogates: { "noise-free": tinyCnn, staircase: tinyCnn } };
const plan = planOf(tinyCnn);
const claimed = { claimed: true, resolution: { points: 3, bound: 5 }, errors: [] };
const verdict = (
  outcomes: readonly { outcome: "masked" | "noted" | "invalid" | "passed" }[],
  claim: number,
  worst: number,
) =>
  verdictName(outcomes as never, { claim: leaving(claim), worst: leaving(worst), classes: 10, ...claimed });

/** The trials of a check whose attack has an option, or an attack inside it has. */
function trialsWith(check: Check, of: AuditPlan, name: string, value: unknown): Trial[] {
  const has = (attack: Attack | undefined): boolean =>
    attack !== undefined &&
    (attack.options[name] === value || attack.inside.some((inside) => has(inside as Attack)));
  const found = check.trials(of).filter(({ attack }) => has(attack));
  if (found.length === 0) throw new Error(`${check.name} has no attack with ${name}=${value}`);
  return found;
}
const trialOfAttack = (check: Check, name: string, of = plan): Trial => {
  const found = check.trials(of).find(({ attack }) => attack?.name === name);
  if (found === undefined) throw new Error(`${check.name} has no attack ${name}`);
  return found;
};

describe("attacks by gradients", () => {
  const square = trialOfAttack(scoreBased(), "square");

  it("speak against an attack without them", () => {
    // Square leaves 9 of 200 images less than PGD: masked, unless APGD by the same gradients reaches as many.
    expect(judge(scoreBased(), [[square, 141]], { byGradients: 150 }).outcome).toBe("masked");
    expect(judge(scoreBased(), [[square, 141]], { byGradients: 140 }).outcome).toBe("passed");
    const [pgd, apgd] = adaptiveSteps().trials(plan);
    const found = judge(adaptiveSteps(), [
      [apgd!, 140],
      [pgd!, 150],
    ]);
    expect(found).toMatchObject({
      outcome: "noted",
      evidence: expect.stringContaining(
        "75.0 % under PGD with 2 restarts, 70.0 % after APGD and targeted APGD",
      ),
    });
    const worst = worstOf([leaving(150), leaving(140), leaving(141)], false);
    expect(verdictName([found], { claim: leaving(150), worst, classes: 10, ...claimed })).toBe("overstated");
  });

  it("of a stronger loss overstate a claim, and scaled logits mask it only where they beat every loss", () => {
    const loss = (name: string) => trialsWith(otherLosses(), plan, "loss", name)[0]!;
    const [temperature, jacobian] = ["temperature", "jacobian-scaling"].map((name) =>
      trialOfAttack(otherLosses(), name),
    );
    const outcomeOf = (...under: Under) => judge(otherLosses(), under).outcome;
    expect(outcomeOf([loss("margin"), 120], [temperature!, 125])).toBe("noted");
    expect(outcomeOf([loss("margin"), 190], [jacobian!, 120])).toBe("masked");
    expect(outcomeOf([loss("dlr"), 197])).toBe("passed");
    // One image of 200 is next to nothing.
    expect(outcomeOf([loss("dlr"), 199])).toBe("skipped");
  });

  it("of a surrogate mask where they find much more", () => {
    const other = planOf(quantized);
    const through = (name: string) => trialsWith(otherGradients(), other, "through", name)[0]!;
    expect(judge(otherGradients(), [[through("noise-free"), 180]], { plan: other }).outcome).toBe("masked");
    expect(judge(otherGradients(), [[through("staircase"), 192]], { plan: other }).outcome).toBe("noted");
    expect(judge(otherGradients(), []).outcome).toBe("skipped");
  });

  it("of levels of pixels mask where they find much more, in l-infinity", () => {
    const coded: Classifier = { ...tinyCnn, levels: { count: 4, scale: 4, behind: tinyCnn } };
    const other = planOf(coded);
    const onLevels = trialOfAttack(otherGradients(), "ls-pga", other);
    expect(onLevels.attack!.options).toMatchObject({ epsilon: other.epsilon, steps: budget.steps });
    const judged = judge(otherGradients(), [[onLevels, 180]], { plan: other });
    expect(judged.outcome).toBe("masked");
    expect(judged.evidence).toContain("90.0 % by those of its levels (LS-PGA)");
    expect(otherGradients().trials({ ...other, norm: "l2" })).toHaveLength(1);
  });

  it("averaged over draws mask where they find much more, and are skipped without averages", () => {
    const randomized = planOf({ ...tinyCnn, randomized: true });
    const averaged = whiteBox(averagedAttack(randomized, 2, "loss"));
    expect(judge(expectation(), [[averaged, 180]], { plan: randomized }).outcome).toBe("masked");
    const none = { ...randomized, budget: { ...budget, expectation: [1] } };
    expect(judge(expectation(), [], { plan: none }).outcome).toBe("skipped");
    expect(judge(expectation(), []).outcome).toBe("skipped");
  });

  it("of one step must not beat those of many, nor give labels away", () => {
    const [, step] = singleStep().trials(plan);
    expect(judge(singleStep(), [[step!, 190]]).outcome).toBe("masked");
    expect(judge(singleStep(), []).outcome).toBe("skipped");
    const [many] = singleStep().trials(plan);
    expect(judge(singleStep(), [[many!, 190]]).outcome).toBe("passed");
    const [given, predicted] = labelLeak().trials(plan);
    expect(judge(labelLeak(), [[predicted!, 180]]).outcome).toBe("masked");
    expect(judge(labelLeak(), [[given!, 180]]).outcome).toBe("passed");
  });
});

describe("a comparison with several attacks", () => {
  it("is corrected for their number", () => {
    // 6 of 200 images, all one way: p = 0.031, enough for one comparison, not for one of two or of seven.
    const single = { ...plan, budget: { ...budget, estimateSteps: 0 } };
    const square = trialOfAttack(scoreBased(), "square");
    expect(judge(scoreBased(), [[square, 194]], { plan: single }).outcome).toBe("masked");
    expect(judge(scoreBased(), [[square, 194]]).outcome).toBe("passed");
  });
});

describe("the claimed attack", () => {
  it("is invalid where it does no harm and others do much", () => {
    expect(judge(claimedAttack(), [], { byGradients: 150 }).outcome).toBe("invalid");
    const reference = { plan: { ...plan, claimed: false }, byGradients: 150 };
    expect(judge(claimedAttack(), [], reference).outcome).toBe("masked");
    // 5 of 200 images are no proof of harm, but then the others do not prove much more either.
    expect(judge(claimedAttack(), [[plan.claim, 195]], { byGradients: 190 }).outcome).toBe("passed");
    // Neither does harm: that says nothing of the claimed attack.
    expect(judge(claimedAttack(), [], { byGradients: 200 }).outcome).toBe("skipped");
  });

  it("is noted where AutoAttack finds more", () => {
    const [autoattack] = autoattackSuite().trials(plan);
    expect(judge(autoattackSuite(), [[autoattack!, 180]])).toEqual({
      outcome: "noted",
      evidence: expect.stringMatching(
        /^accuracy 100.0 % under the claimed attack, 90.0 % under AutoAttack \(10.0 \+- .* points lower\)$/,
      ),
    });
  });
});

describe("images of other players", () => {
  const others: AuditPlan = { ...plan, players: { model: tinyCnn, transfers: { a: tinyCnn, b: tinyCnn } } };
  const [ofA, ofB] = transfer().trials(others);

  it("mask where they are stronger, and those of players that are not finite are left out", () => {
    expect([ofA!.on, ofB!.on]).toEqual(["transfer:a", "transfer:b"]);
    expect(judge(transfer(), [[ofB!, 180]], { plan: others })).toEqual({
      outcome: "masked",
      evidence:
        "accuracy 100.0 % under images made on a (too weak to say), 90.0 % under images made on b, " +
        "100.0 % in the worst case by gradients",
    });
    expect(judge(transfer(), [[ofB!, 180]], { plan: others, byGradients: 178 }).outcome).toBe("passed");
    expect(judge(transfer(), [[ofB!, 180]], { plan: others, notFinite: ["transfer:b"] })).toEqual({
      outcome: "skipped",
      evidence:
        "too weak to say: accuracy 100.0 % under images made on a, 100.0 % in the worst case by gradients, " +
        "b is not finite",
    });
    expect(judge(transfer(), [], { plan: others, notFinite: ["transfer:a", "transfer:b"] }).outcome).toBe(
      "skipped",
    );
    expect(judge(transfer(), []).outcome).toBe("skipped");
  });

  it("are asked of every surrogate that lends its own", () => {
    const lent = planOf(quantized);
    const [mean] = surrogates().trials(lent);
    expect(
      surrogates()
        .trials(lent)
        .map(({ on }) => on),
    ).toEqual(["surrogate:noise-free", "surrogate:staircase"]);
    expect(judge(surrogates(), [[mean!, 180]], { plan: lent, byGradients: 195 }).outcome).toBe("masked");
    expect(judge(surrogates(), [], { plan: { ...lent, lenders: [] } }).outcome).toBe("skipped");
  });
});

describe("a fixed seed", () => {
  const randomized = planOf({ ...tinyCnn, randomized: true });
  const onSeed = trialOf({
    attack: suite(randomized, "standard"),
    on: "fixed-seed:0",
    shownTo: "fixed-seed:0",
  });

  it("masks where a model whose noise is known is harder to fool, and is skipped without seeds", () => {
    const outcomeOf = (correct: number) =>
      judge(fixedSeed(), [[onSeed, correct]], { plan: randomized, byGradients: 150 }).outcome;
    expect([outcomeOf(170), outcomeOf(155)]).toEqual(["masked", "passed"]);
    const none = { ...randomized, budget: { ...budget, seeds: 0 } };
    expect(judge(fixedSeed(), [], { plan: none }).outcome).toBe("skipped");
    expect(judge(fixedSeed(), []).outcome).toBe("skipped");
  });
});

describe("finite", () => {
  const stopped = (what: "logits" | "gradients", player: Player) => ({
    stops: [{ what, message: what, player }],
  });
  const outcomeOf = (...trials: ReturnType<typeof stopped>[]) =>
    judge(finite(), [], { trials: trials as unknown as AuditResults["trials"] });

  it("fails by the audited model and its fixed seeds alone", () => {
    const others = [stopped("logits", "transfer:a"), stopped("gradients", "surrogate:noise-free")];
    expect(outcomeOf(...others).outcome).toBe("passed");
    expect(outcomeOf(stopped("gradients", "fixed-seed:0")).outcome).toBe("masked");
    expect(outcomeOf(stopped("gradients", "model"), stopped("logits", "model"))).toEqual({
      outcome: "invalid",
      evidence: "logits (2 of 2 trials stopped)",
    });
  });
});

describe.each([
  [scoreBased(), ["square", "spsa", "nes"]],
  [decisionBased(), ["HopSkipJump", "boundary attack"]],
  [noiseSearch(), ["noise", "Gaussian noise"]],
] as const)("$name", (check, names) => {
  const {
    boundarySteps: _,
    gaussianTries: __,
    angles: ___,
    curve: ____,
    ...least
  } = { ...budget, estimateSteps: 0 };
  const few: AuditPlan = { ...plan, budget: least };

  it("masks where any of its attacks is stronger than the best by gradients", () => {
    const trials = check.trials(plan);
    expect(trials).toHaveLength(names.length);
    trials.forEach((trial, i) => {
      const found = judge(check, [[trial, 141]], { byGradients: 150 });
      expect(found.outcome).toBe("masked");
      expect(found.evidence).toContain(`70.5 % under ${names[i]}`);
      expect(found.evidence).toContain("75.0 % in the worst case by gradients");
      expect(judge(check, [[trial, 141]], { byGradients: 140 }).outcome).toBe("passed");
    });
  });

  it("is skipped where none of them does harm: that they are no stronger than gradients says nothing", () => {
    const found = judge(
      check,
      check.trials(plan).map((trial) => [trial, 198] as const),
      { byGradients: 60 },
    );
    expect(found).toMatchObject({
      outcome: "skipped",
      evidence: expect.stringMatching(/^too weak to say: /),
    });
  });

  it("has one attack where the budget has no more, which then needs no correction for their number", () => {
    const [only, ...others] = check.trials(few);
    expect(others).toEqual([]);
    // 6 of 200 images, all one way: p = 0.031, enough for one comparison alone.
    expect(judge(check, [[only!, 194]], { plan: few }).outcome).toBe("masked");
    expect(judge(check, [[only!, 194]]).outcome).toBe("passed");
  });
});

describe("rotations", () => {
  it("note the accuracy, whatever it is, and judge nothing", () => {
    const [grid] = rotations().trials(plan);
    for (const correct of [0, 200]) {
      const found = judge(rotations(), [[grid!, correct]]);
      expect(found).toEqual({
        outcome: "noted",
        evidence:
          `clean accuracy 100.0 %, ${correct / 2}.0 % in the worst of 2 angles up to 30 degrees with 5 x 5 shifts up to ` +
          "3 pixels; these are no part of the worst case or the verdict",
      });
      expect(verdict([found as never], 150, 150)).toBe("claim holds");
    }
    const { angles: _, ...still } = budget;
    expect(judge(rotations(), [], { plan: { ...plan, budget: still } })).toEqual({
      outcome: "skipped",
      evidence: "the budget moves no images",
    });
  });
});
