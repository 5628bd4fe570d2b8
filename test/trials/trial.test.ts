import { describe, expect, it } from "vitest";
import { apgd, attacks, pgd } from "../../src/attacks/index.js";
import { attackList, blackBox, clean, trialOf, trialOn, whiteBox } from "../../src/trials/index.js";

describe("a trial's identity", () => {
  it("tells attacks by the options that are not defaults, players, and the trial before", () => {
    const first = whiteBox(pgd({ epsilon: 0.3, steps: 7 }));
    expect(
      [
        clean,
        first,
        blackBox(pgd(), { on: "surrogate:noise-free" }),
        trialOf({ attack: pgd(), on: "fixed-seed:2", shownTo: "fixed-seed:2" }),
        whiteBox(apgd(), { after: first }),
      ].map(({ id }) => id),
    ).toEqual([
      "clean",
      "pgd(steps=7)",
      "pgd on surrogate:noise-free",
      "pgd on fixed-seed:2 shown to fixed-seed:2",
      "apgd after pgd(steps=7)",
    ]);
  });

  it("is the same whatever images it takes from another, and whatever it goes by", () => {
    const free = blackBox(attacks.parse("hop-skip-jump(norm=linf)"));
    const within = attacks.parse("within(hop-skip-jump(norm=linf), epsilon=0.1)");
    expect(blackBox(within, { from: free }).id).toBe(whiteBox(within).id);
  });
});

describe("a trial on the model", () => {
  it.each([
    ["pgd()", true],
    ["restarts(pgd(), times=2)", true],
    ["worst-case(pgd(), apgd())", true],
    ["autoattack(version=rand)", true],
    ["autoattack()", false],
    ["autoattack(version=randomized)", false],
    ["restarts(autoattack(), times=2)", false],
    ["worst-case(pgd(), square())", false],
    ["square()", false],
  ])("by %s is white-box: %s", (attack, expected) => {
    expect(trialOn(attacks.parse(attack)).whiteBox).toBe(expected);
  });
});

it("takes attacks as values and as text, and names the one that is none", () => {
  expect(attackList([pgd({ steps: 2 }), "fgsm"]).map(String)).toEqual(["pgd(steps=2)", "fgsm"]);
  expect(() => attackList(["fgsm", {} as never])).toThrow(
    /^attacks\[1\] must be an attack such as .*, not an object/,
  );
});
